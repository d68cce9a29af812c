import { Button, Text } from "@chakra-ui/react";
import { useState } from "react";

import { airflow, api } from "../api";
import { Confirm } from "../shared/Confirm";
import { PageLink } from "../shared/PageLink";
import { useRefocus } from "../shared/useRefocus";
import { complain, say } from "../toaster";
import type { Flow } from "../types";
import { valueAt } from "./draft";
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
  const { edit: mayPause, redo: mayRun } = flow.rights;
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
        disabled={busy || !mayRun || (paused && !mayPause)}
        onClick={() => {
          setAsked({ open: true, flow });
        }}
        size="sm"
        variant="outline"
      >
        {wordFor(flow)}
      </Button>
      <Button disabled={!mayPause} loading={busy} onClick={() => void turn()} size="sm" variant="outline">
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
  <PageLink
    color="inherit"
    textDecoration="underline"
    to={`/dags/${flow.id}/runs/${encodeURIComponent(runId)}`}
  >
    See the run
  </PageLink>
);

const BEFORE: Record<string, string> = {
  queued: "A run is queued already; this one comes after it.",
  running: "A run is under way already; this one begins after it.",
};

/** What a run brings about: it sends, what is saved and not what stands on the page, and after other runs. */
const Consequence = ({ flow: { airflow: state, checked } }: { flow: Flow }) => {
  const { unsaved } = useFlowEditor();
  const { document: saved } = checked;
  const isScheduled = valueAt(saved, "schedule") !== undefined && valueAt(saved, "enabled") !== false;
  const before = BEFORE[state.last_run?.state ?? ""];
  return (
    <>
      {checked.problems.length > 0 ? (
        <Text color="red.fg">The saved flow is broken: the run fails, and nothing is sent.</Text>
      ) : (
        <Text>Requests that match are sent to the ERP now.</Text>
      )}
      {state.paused === true && (
        <Text>
          {isScheduled
            ? "The flow runs by its schedule again from then on."
            : "The flow stays unpaused; without a schedule it runs only by hand."}
        </Text>
      )}
      {unsaved.length > 0 && <Text color="orange.fg">What you have not saved is no part of it.</Text>}
      {before !== undefined && <Text>{before}</Text>}
    </>
  );
};
