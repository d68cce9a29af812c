import { EmptyState } from "../shared/EmptyState";

/**
 * Every request of the flows that the user may see.
 *
 * @param dagId of the DAG-run tab: only this flow's requests
 * @param runId of the DAG-run tab: only this run's
 */
export const RequestsPage = ({ dagId, runId }: { dagId?: string; runId?: string }) => (
  <EmptyState title={`Requests ${dagId ?? ""} ${runId ?? ""}`}>Not built yet.</EmptyState>
);
