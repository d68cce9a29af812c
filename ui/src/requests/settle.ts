/** New answers go into a list that somebody is reading: rows change where they stand, and none moves. */
import type { RequestList, RequestRow } from "./types";

export interface Settled {
  rows: RequestRow[];
  /** What has changed or come since and is not in the rows yet. */
  waiting: number;
}

/** A request's name among all flows. */
export const keyOf = ({ flow, uuid }: { flow: string; uuid: string }) => `${flow}/${uuid}`;

/**
 * Put an answer into the rows that are shown.
 *
 * A row that the answer no longer holds stays if newer ones may have pushed it off the page, and goes if it
 * would have to be there: then the filter does not mean it any more. What is older than every row comes at
 * the end; what is newer waits until the reader asks for it.
 */
export function settle(shown: RequestRow[], answer: RequestList): Settled {
  if (shown.length === 0) return { rows: answer.requests, waiting: 0 };
  const fresh = new Map(answer.requests.map((row) => [keyOf(row), row]));
  const bottom = answer.next === null ? undefined : answer.requests.at(-1)?.last_changed;
  const rows = shown.flatMap((row) => {
    const now = fresh.get(keyOf(row));
    if (now !== undefined) return [now];
    return bottom !== undefined && row.last_changed <= bottom ? [row] : [];
  });
  const known = new Set(shown.map(keyOf));
  const unknown = answer.requests.filter((row) => !known.has(keyOf(row)));
  const oldest = shown.map((row) => row.last_changed).reduce((one, other) => (one < other ? one : other));
  const older = unknown.filter((row) => row.last_changed <= oldest);
  return { rows: [...rows, ...older], waiting: unknown.length - older.length };
}
