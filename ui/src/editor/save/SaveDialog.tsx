import { Alert, Button, Field, Input, Stack, Text } from "@chakra-ui/react";
import { useRef, useState } from "react";

import { api, ApiError, type Detail, messageOf } from "../../api";
import { Diff, FileDiffs } from "../../shared/Diff";
import { Time } from "../../shared/Time";
import { DialogForm, FormDialog } from "../../shared/FormDialog";
import type { Draft, Flow, Problem, Saved } from "../../types";
import { FLOW_FILE, onlySchedule, onTop, scheduleCall } from "../draft";
import { useFlowEditor } from "../useEditor";

interface Asked {
  open: boolean;
  onClose: () => void;
  onSaved: (saved: Saved, sent: Draft | null) => void;
}

export const SaveDialog = (asked: Asked) => {
  const { heading } = useFlowEditor();
  const settled = useRef(false);
  const close = (isSettled: boolean) => {
    settled.current = isSettled;
    asked.onClose();
  };
  const leave = () => {
    close(false);
  };
  return (
    <FormDialog
      focusAfter={() => (settled.current ? heading.current : null)} // its button is disabled by then
      onClose={leave}
      open={asked.open}
      size="lg"
    >
      <Body
        {...asked}
        onClose={leave}
        onSettled={() => {
          close(true);
        }}
      />
    </FormDialog>
  );
};

/** Why the server did not save, where there is a way on. */
type Refusal = { kind: "cases" | "changed" | "invalid"; detail: Detail; message: string };

function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ApiError)) return null;
  const { code } = error;
  return code === "cases" || code === "changed" || code === "invalid"
    ? { kind: code, detail: error.detail, message: error.message }
    : null;
}

const Body = ({ onClose, onSettled, onSaved }: Asked & { onSettled: () => void }) => {
  const { flow, base, draft, problems, unsaved, takeSaved } = useFlowEditor();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [error, setError] = useState<string | null>(null);
  /** Mine on top of what somebody else saved meanwhile, once that was chosen; null: the draft as it stands. */
  const [merged, setMerged] = useState<{ base: string; draft: Draft } | null>(null);
  const path = `flows/${encodeURIComponent(flow.id)}`;
  const justSchedule = onlySchedule(base, draft);

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      onSettled();
    } catch (failed) {
      const why = refusalOf(failed);
      setRefusal(why);
      setError(why === null ? messageOf(failed) : null);
      setBusy(false);
    }
  };
  const put = (sent: { base: string; draft: Draft }, despite: boolean) =>
    api<Saved>(path, { method: "PUT", json: { ...sent, note, despite } });
  const save = (despite: boolean) =>
    attempt(async () => {
      if (merged !== null) {
        onSaved(await put(merged, despite), null);
        return;
      }
      const call = justSchedule
        ? api<Saved>(`${path}/schedule`, { method: "POST", json: scheduleCall(draft.document) })
        : put({ base: base.revision, draft }, despite);
      onSaved(await call, draft);
    });
  const keepMine = () =>
    attempt(async () => {
      const theirs = await api<Flow>(path);
      const mine = { base: theirs.revision, draft: onTop(base, draft, theirs.draft.files) };
      setMerged(mine);
      onSaved(await put(mine, false), null);
    });
  const takeTheirs = () =>
    attempt(async () => {
      takeSaved(await api<Flow>(path), null);
    });

  const found = refusal?.detail.problems ?? problems;
  return (
    <DialogForm
      busy={busy}
      buttons={
        refusal?.kind === "changed" ? (
          <>
            <Button disabled={busy} onClick={() => void takeTheirs()} variant="outline">
              Take theirs
            </Button>
            <Button loading={busy} onClick={() => void keepMine()}>
              Keep mine on top
            </Button>
          </>
        ) : (
          <Button disabled={found.length > 0} loading={busy} loadingText="Checking and saving" type="submit">
            {refusal?.kind === "cases" ? "Save all the same" : "Save"}
          </Button>
        )
      }
      error={error}
      onClose={onClose}
      onSubmit={() => {
        if (found.length === 0 && refusal?.kind !== "changed") void save(refusal?.kind === "cases");
      }}
      title={titleOf(refusal, flow.id)}
    >
      {found.length > 0 && <Refused problems={found} />}
      {refusal?.kind === "cases" && <Cases detail={refusal.detail} />}
      {refusal?.kind === "changed" && <Changed detail={refusal.detail} mine={unsaved} />}
      {refusal?.kind !== "changed" && (
        <Text fontSize="sm">
          Changed: {justSchedule ? "the schedule, nothing else" : unsaved.join(", ") || "nothing"}
        </Text>
      )}
      {!justSchedule && (
        <Field.Root>
          <Field.Label>Note</Field.Label>
          <Input
            maxLength={500}
            onChange={({ target }) => {
              setNote(target.value);
            }}
            placeholder="Why: it stands in the history"
            value={note}
          />
        </Field.Root>
      )}
    </DialogForm>
  );
};

function titleOf(refusal: Refusal | null, id: string): string {
  if (refusal?.kind === "cases") return "Some test cases fail";
  if (refusal?.kind === "changed") return "Somebody has changed this flow meanwhile";
  return `Save ${id}`;
}

const Refused = ({ problems }: { problems: readonly Problem[] }) => (
  <Alert.Root status="error">
    <Alert.Indicator />
    <Alert.Content>
      <Alert.Title>It can&apos;t be saved before this is repaired</Alert.Title>
      <Alert.Description>
        {problems.map(({ path, message }) => (
          <Text key={path + message}>
            {path === "" ? "" : `${path}: `}
            {message}
          </Text>
        ))}
      </Alert.Description>
    </Alert.Content>
  </Alert.Root>
);

const Cases = ({ detail }: { detail: Detail }) => (
  <Stack gap={2}>
    <Text fontSize="sm">
      They say what the flow gave when somebody last called it right. Nothing is saved yet.
    </Text>
    {(detail.cases ?? [])
      .filter(({ passed }) => !passed)
      .map(({ case: name, step, failures }) => (
        <Stack gap={1} key={name}>
          <Text fontSize="sm" fontWeight="medium">
            {name} ({step})
          </Text>
          <Diff label={`What differs in ${name}`} text={failures.join("\n")} />
        </Stack>
      ))}
  </Stack>
);

/** The author of what Git or an editor changed; its time is when it was first seen. */
const OUTSIDE = "outside the designer";

const Changed = ({ detail, mine }: { detail: Detail; mine: string[] }) => {
  const theirs = (detail.diffs ?? []).map(({ name }) => name);
  const both = theirs.filter((name) => mine.includes(name));
  return (
    <Stack gap={2}>
      <Text fontSize="sm">
        {detail.author === OUTSIDE ? (
          <>
            It was changed outside the designer, which was first seen <Time at={detail.at} />.
          </>
        ) : (
          <>
            {detail.author ?? "Somebody"} changed it <Time at={detail.at} />.
          </>
        )}{" "}
        This is what differs:
      </Text>
      <FileDiffs files={detail.diffs ?? []} />
      <Text fontSize="sm">
        <b>Take theirs</b>: your changes are thrown away. <b>Keep mine on top</b>: theirs stay
        {both.length === 0 ? "" : `, but of ${both.join(", ")} yours is saved`}
        {both.includes(FLOW_FILE) ? "; look at the history afterwards" : ""}.
      </Text>
    </Stack>
  );
};
