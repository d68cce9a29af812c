import { Badge, Box, Stack, Text } from "@chakra-ui/react";

import { Confirm } from "../shared/Confirm";
import { complain, say } from "../toaster";
import type { RequestRow } from "../types";
import { counted, nameOf, redoAll, type Consequence } from "./consequences";

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
      action={rows.length === 1 ? "Redo it" : `Redo ${rows.length}`}
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

const Meaning = ({ meaning: { allowed, text, rows } }: { meaning: Consequence }) => (
  <Box borderColor={allowed ? "border.emphasized" : "border.error"} borderStartWidth="3px" ps={3}>
    <Text fontSize="sm" fontWeight="medium">
      {named(rows)}
      {!allowed && (
        <Badge colorPalette="failed" ms={2}>
          left as {rows.length === 1 ? "it is" : "they are"}
        </Badge>
      )}
    </Text>
    <Text color={allowed ? undefined : "fg.muted"}>{text}</Text>
  </Box>
);

function named(rows: RequestRow[]): string {
  const names = rows.slice(0, NAMED).map((row) => nameOf(row).replace("Request ", ""));
  const more = rows.length - names.length;
  return `${counted(rows.length)}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
