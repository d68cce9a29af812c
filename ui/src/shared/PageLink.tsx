import { chakra } from "@chakra-ui/react";
import { Link } from "react-router-dom";

/** A link to a page of Airflow's or ours, without loading the page anew. */
export const PageLink = chakra(Link, {
  base: { color: "fg.info", _hover: { textDecoration: "underline" } },
});
