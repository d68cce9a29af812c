/** Which rows are chosen, and how mouse and keys change that. */
import { useState } from "react";

import type { RequestRow } from "./types";
import { keyOf } from "./settle";

export interface Selection {
  keys: ReadonlySet<string>;
  /** The chosen ones among these rows, in their order. */
  among: (rows: RequestRow[]) => RequestRow[];
  /** Choose a row or let it go; with `range`, all rows from the last one that was chosen. */
  toggle: (rows: RequestRow[], index: number, range: boolean) => void;
  all: (rows: RequestRow[]) => void;
  clear: () => void;
}

interface Chosen {
  keys: ReadonlySet<string>;
  anchor: string | null;
}

/** The rows between two keys, both included; only the last one where the first is not there. */
export function between(rows: RequestRow[], anchor: string | null, index: number): string[] {
  const start = rows.findIndex((row) => keyOf(row) === anchor);
  const [from, to] = start === -1 ? [index, index] : [Math.min(start, index), Math.max(start, index)];
  return rows.slice(from, to + 1).map(keyOf);
}

export function useSelection(): Selection {
  const [{ keys, anchor }, setChosen] = useState<Chosen>({ keys: new Set(), anchor: null });
  return {
    keys,
    among: (rows) => rows.filter((row) => keys.has(keyOf(row))),
    toggle: (rows, index, range) => {
      const row = rows[index];
      if (row === undefined) return;
      const key = keyOf(row);
      const next = new Set(keys);
      const choose = !keys.has(key);
      for (const one of range ? between(rows, anchor, index) : [key]) {
        if (choose) next.add(one);
        else next.delete(one);
      }
      setChosen({ keys: next, anchor: key });
    },
    all: (rows) => {
      setChosen({ keys: new Set(rows.map(keyOf)), anchor: null });
    },
    clear: () => {
      setChosen({ keys: new Set(), anchor: null });
    },
  };
}
