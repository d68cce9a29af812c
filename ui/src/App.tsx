import { Box } from "@chakra-ui/react";
import { useSearchParams } from "react-router-dom";

import { EditorPage } from "./editor/EditorPage";
import { FlowsPage } from "./flows/FlowsPage";
import { RequestsPage } from "./requests/RequestsPage";
import { Toaster } from "./toaster";

/** What Airflow gives to a plugin's page, by where it stands. */
export interface PluginProps {
  dagId?: string;
  runId?: string;
  taskId?: string;
  mapIndex?: string;
}

/** The names under which the plugin registers its pages. */
export type Page = "Flows" | "Flow" | "Requests";

export const App = ({ page, dagId, runId }: PluginProps & { page: Page }) => (
  <Box data-testid="order-cancellation" height="100%" overflowY="auto" p={{ base: 3, lg: 4 }}>
    <Routed dagId={dagId} page={page} runId={runId} />
    <Toaster />
  </Box>
);

/** Sub-pages go by search parameters: Airflow mounts a plugin anew at each change of the path. */
const Routed = ({ page, dagId, runId }: PluginProps & { page: Page }) => {
  const [params] = useSearchParams();
  if (page === "Requests" || runId !== undefined) return <RequestsPage dagId={dagId} runId={runId} />;
  const flow = dagId ?? params.get("flow");
  return flow === null ? <FlowsPage /> : <EditorPage dagId={flow} inTab={dagId !== undefined} key={flow} />;
};
