import { useState } from "react";

import type { ApiError } from "../api";
import type { RequestList, RequestRow } from "./types";
import { useApi } from "../useApi";
import { isUnderWay } from "./advice";
import { choiceOf, listPath, type Filters, type Place } from "./filters";
import { settle } from "./settle";

interface Held {
  choice: string;
  answer?: RequestList;
  rows: RequestRow[];
  waiting: number;
}

export interface Requests {
  rows: RequestRow[];
  /** The last answer; undefined until there is one. */
  answer: RequestList | undefined;
  /** How many newer changes are held back until the reader asks for them. */
  waiting: number;
  /** The rows are still those of an earlier choice. */
  stale: boolean;
  error: ApiError | undefined;
  reload: () => void;
  /** Take the newest order, with all that waits. */
  showNewest: () => void;
}

const SOON_MS = 4_000;
const LATER_MS = 30_000;

/** The list for these filters, read again while something is under way, without moving what is being read. */
export function useRequests(filters: Filters, place: Place, now: number): Requests {
  const choice = choiceOf(filters, place);
  const [held, setHeld] = useState<Held>({ choice: "", rows: [], waiting: 0 });
  const busy = isUnderWay(held.rows.map(({ state }) => state));
  const { data, error, reload } = useApi<RequestList>(listPath(filters, place, now), {
    refreshMs: busy ? SOON_MS : LATER_MS,
  });

  if (data !== undefined && (data !== held.answer || choice !== held.choice)) {
    const rows = held.choice === choice ? held.rows : [];
    setHeld({ choice, answer: data, ...settle(rows, data) });
  }

  const showNewest = () => {
    setHeld((old) => ({ ...old, rows: old.answer?.requests ?? [], waiting: 0 }));
  };
  const { answer, rows, waiting } = held;
  return { rows, answer, waiting, stale: held.choice !== choice, error, reload, showNewest };
}
