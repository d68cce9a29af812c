import { createContext, useCallback, useContext, useMemo, useState } from "react";

import type { ErpAnswer, Tried } from "../../types";
import type { Pair } from "../Pairs";

/** What stands in a step's test panel. It lives as long as the page and is never part of the flow. */
export interface Trial {
  input: string;
  attributes: Pair[];
  result: Tried | null;
  /** The input came from Omnitron unmasked, or from a card whose input did. */
  personal: boolean;
}

export interface Trials {
  of: (step: string) => Trial;
  put: (step: string, change: Partial<Trial>) => void;
  /** What the ERP is pretended to answer, for the chain. */
  answer: ErpAnswer;
  setAnswer: (answer: ErpAnswer) => void;
}

const EMPTY: Trial = { input: "", attributes: [], result: null, personal: false };

/** @param saved what the ERP answered in a saved case: many a flow's script fails on anything else */
export function useNewTrials(saved: ErpAnswer | null): Trials {
  const [trials, setTrials] = useState<Record<string, Trial>>({});
  const [answer, setAnswer] = useState(saved ?? { status: 200, body: "{}" });
  const put = useCallback((step: string, change: Partial<Trial>) => {
    setTrials((old) => ({ ...old, [step]: { ...(old[step] ?? EMPTY), ...change } }));
  }, []);
  return useMemo(
    () => ({ of: (step) => trials[step] ?? EMPTY, put, answer, setAnswer }),
    [trials, put, answer],
  );
}

export const TrialsContext = createContext<Trials | null>(null);

export function useTrials(): Trials {
  const trials = useContext(TrialsContext);
  if (trials === null) throw new Error("useTrials stands outside of an EditorPage");
  return trials;
}
