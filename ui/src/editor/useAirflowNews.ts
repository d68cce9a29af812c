import { useEffect } from "react";

import { api } from "../api";
import type { Flow } from "../types";

const ASK_EVERY_MS = 3000;

/**
 * Ask what Airflow knows of a flow: every few seconds while it knows nothing, and once when it has taken up a save.
 *
 * @param takenUp when what was saved last went live, or null
 */
export function useAirflowNews(flow: Flow, takenUp: string | null, take: (flow: Flow) => void): void {
  const { id } = flow;
  const { known } = flow.airflow;
  useEffect(() => {
    if (known && takenUp === null) return;
    const leave = new AbortController();
    const ask = () => {
      api<Flow>(`flows/${encodeURIComponent(id)}`, { signal: leave.signal }).then(take, () => undefined);
    };
    if (known) ask();
    const timer = known ? undefined : setInterval(ask, ASK_EVERY_MS);
    return () => {
      leave.abort();
      clearInterval(timer);
    };
  }, [id, known, takenUp, take]);
}
