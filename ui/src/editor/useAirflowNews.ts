import { useEffect } from "react";

import { api } from "../api";
import type { Flow } from "../types";

const ASK_EVERY_MS = 3000;

/**
 * Ask what Airflow knows of a flow: every few seconds while it knows nothing or its last run is under way, and once
 * when it has taken up a save.
 *
 * @param takenUp when what was saved last went live, or null
 */
export function useAirflowNews(flow: Flow, takenUp: string | null, take: (flow: Flow) => void): void {
  const { id } = flow;
  const { known, last_run } = flow.airflow;
  const moving = !known || last_run?.state === "queued" || last_run?.state === "running";
  useEffect(() => {
    if (!moving && takenUp === null) return;
    const leave = new AbortController();
    const ask = () => {
      api<Flow>(`flows/${encodeURIComponent(id)}`, { signal: leave.signal }).then(take, () => undefined);
    };
    if (takenUp !== null) ask();
    const timer = moving ? setInterval(ask, ASK_EVERY_MS) : undefined;
    return () => {
      leave.abort();
      clearInterval(timer);
    };
  }, [id, moving, takenUp, take]);
}
