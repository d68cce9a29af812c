/** What a redo of many means, request by request, in the server's words. */
import { api } from "../api";
import type { Life, Redone, RequestRow } from "./types";
import { keyOf } from "./settle";

export interface Consequence {
  allowed: boolean;
  /** Whether the money can move twice by it. */
  twice: boolean;
  text: string;
  rows: RequestRow[];
}

const AT_ONCE = 4;

const pathOf = ({ flow, uuid }: RequestRow) =>
  `flows/${encodeURIComponent(flow)}/requests/${encodeURIComponent(uuid)}`;

/** Ask for each request what its redo means; those of one meaning together, what is not allowed last. */
export async function readConsequences(rows: RequestRow[]): Promise<Consequence[]> {
  const lives: Life[] = [];
  for (let begin = 0; begin < rows.length; begin += AT_ONCE) {
    const some = rows.slice(begin, begin + AT_ONCE);
    // oxlint-disable-next-line no-await-in-loop -- not more at once than the server bears
    lives.push(...(await Promise.all(some.map((row) => api<Life>(pathOf(row))))));
  }
  return together(lives);
}

export function together(lives: Life[]): Consequence[] {
  const found = new Map<string, Consequence>();
  for (const life of lives) {
    const redo = life.actions.redo ?? {
      allowed: false,
      consequence: "Your role in Airflow does not allow it.",
      twice: false,
    };
    const key = `${redo.allowed} ${redo.consequence}`;
    const same = found.get(key) ?? {
      allowed: redo.allowed,
      twice: redo.twice,
      text: redo.consequence,
      rows: [],
    };
    same.rows.push(life);
    found.set(key, same);
  }
  return [...found.values()].sort((one, other) => weight(other) - weight(one));
}

/** What can move money twice comes first, what is left as it is last. */
const weight = ({ allowed, twice }: Consequence) => (allowed ? 1 + Number(twice) : 0);

/** Whether the ERP has booked it and the request is at its end: a redo of it books it once more. */
export const isBooked = ({ state }: Pick<RequestRow, "state">) => state === "done";

/** The word on the button that redoes these: how many, and how many of them twice. */
export function redoWord(rows: Pick<RequestRow, "state">[]): string {
  const twice = rows.filter(isBooked).length;
  if (twice === 0) return rows.length === 1 ? "Redo it" : `Redo ${rows.length}`;
  if (twice < rows.length) return `Redo ${rows.length}, book ${twice} twice`;
  return twice === 1 ? "Book it twice" : `Book ${twice} twice`;
}

/** What was seen of requests: the server leaves one as it is that has changed since. */
export const seenOf = (rows: RequestRow[]) =>
  Object.fromEntries(rows.map(({ uuid, last_changed }) => [uuid, last_changed]));

/** Redo requests of any flows; what could not be done, with the server's reason. */
export async function redoAll(rows: RequestRow[], why: string): Promise<{ done: number; refused: string[] }> {
  const names = new Map(rows.map((row) => [keyOf(row), nameOf(row)]));
  const refused: string[] = [];
  for (const flow of new Set(rows.map((row) => row.flow))) {
    const some = rows.filter((row) => row.flow === flow);
    const json = { uuids: some.map(({ uuid }) => uuid), why, seen: seenOf(some) };
    const path = `flows/${encodeURIComponent(flow)}/requests/redo`;
    // oxlint-disable-next-line no-await-in-loop -- a flow after the other, each writes to the ledger
    const { results } = await api<Redone>(path, { method: "POST", json });
    for (const { uuid, ok, message } of results)
      if (!ok) refused.push(`${names.get(keyOf({ flow, uuid })) ?? uuid}: ${message}`);
  }
  return { done: rows.length - refused.length, refused };
}

/** How people call a request: by its number in Omnitron, else by its uuid. */
export const nameOf = ({ id, uuid }: { id: number | null; uuid: string }) =>
  id === null ? `Request ${uuid.slice(0, 8)}` : `Request ${id}`;

/** "1 request", "3 requests". */
export const counted = (count: number) => `${count} request${count === 1 ? "" : "s"}`;
