import { chakra, HStack } from "@chakra-ui/react";
import { Link } from "react-router-dom";

import { paletteOf, wordsOf } from "../shared/StateBadge";
import type { FlowRow } from "../types";

const Number = chakra(Link);

const SHOWN = ["done", "failed", "in_doubt", "parked"] as const;

/** How many requests came to which end; each number leads to them. */
export const Counts = ({ flow, counts }: { flow: string; counts: FlowRow["counts"] }) => (
  <HStack flexWrap="wrap" gap={1}>
    {SHOWN.map((state) => (
      <Number
        _hover={{ textDecoration: "underline" }}
        bg={counts[state] > 0 ? "colorPalette.subtle" : undefined}
        borderRadius="sm"
        color={counts[state] > 0 ? "colorPalette.fg" : "fg.muted"}
        colorPalette={paletteOf(state)}
        fontSize="xs"
        fontVariantNumeric="tabular-nums"
        key={state}
        px={1.5}
        to={`/plugin/requests?flow=${flow}&state=${state}`}
        whiteSpace="nowrap"
      >
        {counts[state]} {wordsOf(state)}
      </Number>
    ))}
  </HStack>
);
