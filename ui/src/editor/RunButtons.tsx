import { Button, Text } from "@chakra-ui/react";
import { useState } from "react";

import { airflow, api } from "../api";
import { Confirm } from "../shared/Confirm";
import { PageLink } from "../shared/PageLink";
import { useRefocus } from "../shared/useRefocus";
import { complain, say } from "../toaster";
import type { Flow } from "../types";
import { useFlowEditor } from "./useEditor";

interface Buttons {
  flow: Flow;
  onAirflow: (flow: Flow) => void;
}

/** Run and unpause go to Airflow's own API, with Airflow's own rights. */
export const RunButtons = ({ flow, onAirflow }: Buttons) => {
  const [busy, setBusy] = useState(false);
  useRefocus(busy);
  // the flow as it stood when it was asked for: a dialog keeps its words while it closes
  const [asked, setAsked] = useState({ open: false, flow });
  const id = encodeURIComponent(flow.id);
  const paused = flow.airflow.paused === true;
  const look = async () => {
    onAirflow(await api<Flow>(`flows/${id}`));
  };
  const pause = (is_paused: boolean) => airflow(`dags/${id}`, { method: "PATCH", json: { is_paused } });
  const turn = async () => {
    setBusy(true);
    try {
      await pause(!paused);
      await look();
    } catch (error) {
      complain("Pause failed", error);
    } finally {
      setBusy(false);
    }
  };
  const run = async () => {
    try {
      if (paused) await pause(false);
      const json = { logical_date: null };
      const call = { method: "POST", json } as const;
      const { dag_run_id } = await airflow<{ dag_run_id: string }>(`dags/${id}/dagRuns`, call);
      say("A run is queued", <RunLink flow={flow} runId={dag_run_id} />);
    } finally {
      look().catch((error: unknown) => {
        complain("How the flow stands now could not be read", error);
      });
    }
  };
  if (!flow.airflow.known) return null;
  return (
    <>
      <Button
        disabled={busy}
        onClick={() => {
          setAsked({ open: true, flow });
        }}
        size="sm"
        variant="outline"
      >
        {wordFor(flow)}
      </Button>
      <Button loading={busy} onClick={() => void turn()} size="sm" variant="outline">
        {paused ? "Unpause" : "Pause"}
      </Button>
      <Confirm
        action={wordFor(asked.flow)}
        onClose={() => {
          setAsked({ ...asked, open: false });
        }}
        onConfirm={run}
        open={asked.open}
        title={`Run ${flow.id} now?`}
      >
        <Consequence flow={asked.flow} />
      </Confirm>
    </>
  );
};

const wordFor = ({ airflow: { paused } }: Flow) => (paused === true ? "Unpause and run" : "Run now");

const RunLink = ({ flow, runId }: { flow: Flow; runId: string }) => (
  <PageLink to={`/dags/${flow.id}/runs/${encodeURIComponent(runId)}`}>See the run</PageLink>
);

const BEFORE: Record<string, string> = {
  queued: "A run is queued already; this one comes after it.",
  running: "A run is under way already; this one begins after it.",
};

/** What a run brings about: it sends, what is saved and not what stands on the page, and after other runs. */
const Consequence = ({ flow: { airflow: state } }: { flow: Flow }) => {
  const { unsaved } = useFlowEditor();
  const before = BEFORE[state.last_run?.state ?? ""];
  return (
    <>
      <Text>Requests that match are sent to the ERP now.</Text>
      {state.paused === true && <Text>The flow runs by its schedule again from then on.</Text>}
      {unsaved.length > 0 && <Text color="orange.fg">What you have not saved is no part of it.</Text>}
      {before !== undefined && <Text>{before}</Text>}
    </>
  );
};
