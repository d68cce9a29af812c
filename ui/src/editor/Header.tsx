import { Badge, Button, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";

import { airflow, api } from "../api";
import { PageLink } from "../shared/PageLink";
import { Time } from "../shared/Time";
import { StateBadge } from "../shared/StateBadge";
import { complain, say } from "../toaster";
import type { Flow } from "../types";
import { valueAt } from "./draft";
import { useFlowEditor } from "./useEditor";

interface Actions {
  inTab: boolean;
  onSave: () => void;
  onChain: () => void;
  onAirflow: (flow: Flow) => void;
}

/** The flow's name and state, and what can be done with the whole of it. */
export const Header = ({ inTab, onSave, onChain, onAirflow }: Actions) => {
  const { flow, document, locked, unsaved, checking, problems, discard } = useFlowEditor();
  const title = valueAt(document, "title");
  return (
    <HStack
      align="start"
      bg="bg"
      css={{ "@media (min-width: 1024px)": { position: "sticky", top: "-1rem", zIndex: 5 } }}
      flexWrap="wrap"
      gap={3}
      justify="space-between"
      mt={-4}
      pb={1}
      pt={4}
    >
      <Stack flex="1" gap={0} minW="16rem">
        {!inTab && (
          <Text fontSize="xs">
            <PageLink to="/plugin/flows">Flows</PageLink>
          </Text>
        )}
        <HStack flexWrap="wrap" gap={2}>
          <Heading as="h1" size="lg">
            {typeof title === "string" && title !== "" ? title : flow.id}
          </Heading>
          <Text color="fg.muted" fontFamily="mono" fontSize="sm">
            {flow.id}
          </Text>
          <AirflowBadge flow={flow} />
          {unsaved.length > 0 && <Badge colorPalette="warning">not saved</Badge>}
        </HStack>
        <HStack color="fg.muted" flexWrap="wrap" fontSize="xs" gap={3}>
          <Text>
            next run <Time at={flow.airflow.next_run} />
          </Text>
          <Text>
            last run <Time at={flow.airflow.last_run?.at} />
            {flow.airflow.last_run && `, ${flow.airflow.last_run.state}`}
          </Text>
          {flow.airflow.known && <PageLink to={`/dags/${flow.id}`}>Grid</PageLink>}
          <PageLink to={`/plugin/requests?flow=${flow.id}`}>Requests</PageLink>
        </HStack>
      </Stack>
      <HStack flexWrap="wrap" gap={2}>
        <RunButtons flow={flow} onAirflow={onAirflow} />
        <Button onClick={onChain} size="sm" variant="outline">
          Run the whole chain
        </Button>
        <Button disabled={unsaved.length === 0} onClick={discard} size="sm" variant="outline">
          Discard
        </Button>
        <Button disabled={locked !== null || unsaved.length === 0} onClick={onSave} size="sm">
          {problems.length > 0 && !checking ? `Save (${problems.length} to repair)` : "Save"}
        </Button>
      </HStack>
    </HStack>
  );
};

const AirflowBadge = ({ flow: { airflow: state, checked, draft } }: { flow: Flow }) => {
  if (checked.problems.length > 0) return <StateBadge state="broken" />;
  if (valueAt(checked.document ?? draft.document, "enabled") === false)
    return <StateBadge state="disabled" />;
  if (!state.known) return <StateBadge state="new" />;
  return <StateBadge state={state.paused === true ? "paused" : "live"} />;
};

/** Run and unpause go to Airflow's own API, with Airflow's own rights. */
const RunButtons = ({ flow, onAirflow }: { flow: Flow; onAirflow: (flow: Flow) => void }) => {
  const [busy, setBusy] = useState<string | null>(null);
  const id = encodeURIComponent(flow.id);
  const during = async (what: string, work: () => Promise<unknown>) => {
    setBusy(what);
    try {
      await work();
      onAirflow(await api<Flow>(`flows/${id}`));
    } catch (error) {
      complain(`${what} failed`, error);
    } finally {
      setBusy(null);
    }
  };
  const pause = (is_paused: boolean) => airflow(`dags/${id}`, { method: "PATCH", json: { is_paused } });
  if (!flow.airflow.known) return null;
  return (
    <>
      <Button
        disabled={busy !== null}
        loading={busy === "Run"}
        onClick={() =>
          void during("Run", async () => {
            if (flow.airflow.paused === true) await pause(false);
            await airflow(`dags/${id}/dagRuns`, { method: "POST", json: { logical_date: null } });
            say("A run has begun", "Its rows are in the grid.");
          })
        }
        size="sm"
        variant="outline"
      >
        {flow.airflow.paused === true ? "Unpause and run" : "Run now"}
      </Button>
      <Button
        disabled={busy !== null}
        loading={busy === "Pause"}
        onClick={() => void during("Pause", () => pause(flow.airflow.paused !== true))}
        size="sm"
        variant="outline"
      >
        {flow.airflow.paused === true ? "Unpause" : "Pause"}
      </Button>
    </>
  );
};
