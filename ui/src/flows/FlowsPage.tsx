import { EmptyState } from "../shared/EmptyState";

export const FlowsPage = () => <EmptyState title="Flows" />;
