import type { ApiError } from "../api";
import { EmptyState } from "../shared/EmptyState";
import { ErrorNote } from "../shared/ErrorNote";

const UNAVAILABLE = 503;

/** Why nothing can be shown, and what that means for the requests. */
export const Trouble = ({ error, retry }: { error: ApiError; retry: () => void }) => {
  if (error.status === 403)
    return (
      <EmptyState title="You may not see these requests">
        Your role in Airflow does not let you see this flow. Ask who keeps Airflow for the right to see its
        DAG.
      </EmptyState>
    );
  if (error.status === 404)
    return (
      <EmptyState title="There is no such request">
        The ledger has none of this name in this flow, or you may not see it. Rows are never deleted, so the
        link may be incomplete, or lead to another Airflow.
      </EmptyState>
    );
  const title =
    error.status === UNAVAILABLE
      ? "The ledger can't be reached: no request is sent until it can, and none is lost"
      : "The requests can't be read";
  return <ErrorNote error={error} retry={retry} title={title} />;
};
