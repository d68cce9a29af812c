import { Badge, Box, Stack, Text } from "@chakra-ui/react";

import { Confirm } from "../shared/Confirm";
import { complain, say } from "../toaster";
import type { RequestRow } from "./types";
import { counted, isBooked, nameOf, redoAll, redoWord, type Consequence } from "./consequences";

interface Asked {
  open: boolean;
  /** What redo means for the chosen requests. */
  consequences: Consequence[];
  onClose: () => void;
  onDone: () => void;
}

const NAMED = 8;

/** States what a redo brings about, for each kind of request among the chosen ones, and asks for a reason. */
export const RedoDialog = ({ open, consequences, onClose, onDone }: Asked) => {
  const rows = consequences.filter(({ allowed }) => allowed).flatMap((one) => one.rows);
  const redo = async (why: string) => {
    const { done, refused } = await redoAll(rows, why);
    if (done > 0)
      say(`${counted(done)}: done again at the next run`, "Trigger the flow to have it done now.");
    if (refused.length > 0) complain(`${counted(refused.length)} not redone`, new Error(refused.join(" · ")));
    onDone();
  };
  return (
    <Confirm
      action={redoWord(rows)}
      danger={consequences.some(({ allowed, twice }) => allowed && twice)}
      onClose={onClose}
      onConfirm={redo}
      open={open}
      reason="Why? It goes into each request's history."
      title={`Redo ${rows.length === 1 && rows[0] !== undefined ? nameOf(rows[0]).toLowerCase() : counted(rows.length)}?`}
    >
      <Stack gap={3}>
        {consequences.map((one) => (
          <Meaning key={`${one.allowed} ${one.text}`} meaning={one} />
        ))}
      </Stack>
    </Confirm>
  );
};

/** Red where money can move twice; what is left as it is stands back. */
const Meaning = ({ meaning: { allowed, text, rows, ...meaning } }: { meaning: Consequence }) => {
  const twice = allowed && meaning.twice;
  return (
    <Box borderColor={twice ? "border.error" : "border.emphasized"} borderStartWidth="3px" ps={3}>
      <Text fontSize="sm" fontWeight="medium">
        {named(rows)}
        {twice && (
          <Badge colorPalette="failed" ms={2}>
            {rows.some(isBooked) ? "booked twice" : "may be booked twice"}
          </Badge>
        )}
        {!allowed && (
          <Badge ms={2} variant="outline">
            left as {rows.length === 1 ? "it is" : "they are"}
          </Badge>
        )}
      </Text>
      <Text color={twice ? "fg.error" : allowed ? undefined : "fg.muted"}>{text}</Text>
    </Box>
  );
};

function named(rows: RequestRow[]): string {
  const names = rows.slice(0, NAMED).map((row) => nameOf(row).replace("Request ", ""));
  const more = rows.length - names.length;
  return `${counted(rows.length)}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
