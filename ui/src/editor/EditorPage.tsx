import { EmptyState } from "../shared/EmptyState";

export const EditorPage = ({ dagId, inTab }: { dagId: string; inTab: boolean }) => (
  <EmptyState title={dagId}>{inTab ? "tab" : "page"}</EmptyState>
);
