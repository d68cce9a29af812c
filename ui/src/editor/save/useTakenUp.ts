import { useEffect, useState } from "react";

import { api } from "../../api";
import type { Live } from "../../types";

export type TakenUp = { state: "waiting" | "live" | "slow" | "broken"; broken: string[] };

const ASK_EVERY_MS = 1000;
const SLOW_AFTER_MS = 60_000;

/** Ask until Airflow has parsed what was saved at a time; null where nothing was saved. */
export function useTakenUp(flow: string, savedAt: string | null): TakenUp | null {
  const [held, setHeld] = useState<{ of: string; taken: TakenUp } | null>(null);
  useEffect(() => {
    if (savedAt === null) return;
    const leave = new AbortController();
    const begun = Date.now();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      const path = `flows/${encodeURIComponent(flow)}/live?since=${encodeURIComponent(savedAt)}`;
      const answer = await api<Live>(path, { signal: leave.signal }).catch(() => null);
      if (leave.signal.aborted) return;
      const taken = judged(answer, Date.now() - begun);
      setHeld({ of: savedAt, taken });
      if (taken.state === "waiting" || taken.state === "slow") {
        timer = setTimeout(() => void ask(), ASK_EVERY_MS * (taken.state === "slow" ? 5 : 1));
      }
    };
    timer = setTimeout(() => void ask(), ASK_EVERY_MS / 2);
    return () => {
      leave.abort();
      clearTimeout(timer);
    };
  }, [flow, savedAt]);
  if (savedAt === null) return null;
  return held?.of === savedAt ? held.taken : { state: "waiting", broken: [] };
}

function judged(answer: Live | null, waited: number): TakenUp {
  if (answer?.live === true) {
    return { state: answer.broken.length > 0 ? "broken" : "live", broken: answer.broken };
  }
  return { state: waited > SLOW_AFTER_MS ? "slow" : "waiting", broken: [] };
}
