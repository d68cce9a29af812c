import { useSearchParams } from "react-router-dom";

import { LifePage } from "./LifePage";
import { ListPage } from "./ListPage";

/**
 * Every request of the flows that the user may see, or one request's life.
 *
 * @param dagId of the DAG-run tab: only this flow's requests
 * @param runId of the DAG-run tab: only this run's
 */
export const RequestsPage = ({ dagId, runId }: { dagId?: string; runId?: string }) => {
  const [params] = useSearchParams();
  const uuid = params.get("request");
  const flow = dagId ?? params.get("flow");
  if (uuid === null || flow === null) return <ListPage dagId={dagId} runId={runId} />;
  return <LifePage flow={flow} inRun={runId !== undefined} key={`${flow} ${uuid}`} uuid={uuid} />;
};
