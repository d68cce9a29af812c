import { Badge } from "@chakra-ui/react";

/** Stands beside what came from Omnitron unmasked, or from an input that did. */
export const PersonalMark = () => <Badge colorPalette="warning">Personal data is shown</Badge>;
