import { Time } from "../shared/Time";
import type { RequestRow } from "./types";
import { nextTry } from "./advice";
import { useNow } from "./useNow";

/** When it is tried again: never a time in the past, and no promise where nothing starts a run. */
export const NextTry = ({ row }: { row: Pick<RequestRow, "next_at" | "by_hand"> }) => {
  const next = nextTry(row, useNow());
  if (next === null) return null;
  const { words, at } = next;
  return (
    <>
      {words}
      {at !== null && (
        <>
          {words !== "" && ", "}
          <Time at={at} />
          {words !== "" && " at the earliest"}
        </>
      )}
    </>
  );
};
