import { Alert, Button, Checkbox, Field, Input, Text } from "@chakra-ui/react";
import { useState } from "react";

import { api, messageOf } from "../../api";
import { say } from "../../toaster";
import { DialogForm, FormDialog } from "../../shared/FormDialog";
import type { JsonObject } from "../../types";
import { useFlowEditor } from "../useEditor";
import { fetched, firstStep } from "./inputs";
import { useTrials } from "./useTrials";

interface Asked {
  open: boolean;
  step: string;
  onClose: () => void;
}

/** Keep what a test panel shows as a test case: it becomes a file of the flow at the next save. */
export const SaveCase = (asked: Asked) => (
  <FormDialog onClose={asked.onClose} open={asked.open}>
    <Form {...asked} />
  </FormDialog>
);

const Form = ({ step, onClose }: Asked) => {
  const { flow, draft, document, setFile, locked } = useFlowEditor();
  const trials = useTrials();
  const { input, attributes, result, personal } = trials.of(step);
  const [name, setName] = useState("");
  const [withResult, setWithResult] = useState(result?.error === null);
  const given = Object.fromEntries(attributes);
  const [chosen, setChosen] = useState(() => newNames(given, result?.attributes ?? {}));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const taken = draft.files[`cases/${name}.yaml`] !== undefined;
  const fits = /^[A-Za-z0-9_-]+$/.test(name);

  const save = async () => {
    const expect: JsonObject = {};
    if (withResult && result !== null) expect.result = result.result_data;
    if (chosen.length > 0)
      expect.attributes = Object.fromEntries(chosen.map((key) => [key, result?.attributes[key] ?? ""]));
    if (result !== null && result.error !== null) expect.error = result.error;
    setBusy(true);
    try {
      const { file, text } = await api<{ file: string; text: string }>(
        `flows/${encodeURIComponent(flow.id)}/cases/compose`,
        { method: "POST", json: { name, step, input: parsed(input), attributes: given, expect } },
      );
      setFile(file, text);
      say(`Test case ${name} is ready`, "It is saved with the flow.");
      onClose();
    } catch (failed) {
      setError(messageOf(failed));
      setBusy(false);
    }
  };

  const mask = async () => {
    setBusy(true);
    try {
      trials.put(step, await fetched(flow.id, true));
      onClose();
    } catch (failed) {
      setError(messageOf(failed));
      setBusy(false);
    }
  };

  return (
    <DialogForm
      busy={busy}
      buttons={
        <Button disabled={!fits || taken || locked !== null} loading={busy} type="submit">
          Keep as case
        </Button>
      }
      error={error}
      onClose={onClose}
      onSubmit={() => {
        if (fits && !taken) void save();
      }}
      title="Save as test case"
    >
      {personal && <Personal busy={busy} onMask={step === firstStep(document) ? () => void mask() : null} />}
      <Field.Root invalid={taken || (name !== "" && !fits)} required>
        <Field.Label>Name</Field.Label>
        <Input
          autoComplete="off"
          onChange={({ target }) => {
            setName(target.value);
          }}
          placeholder="refund_without_iban"
          value={name}
        />
        <Field.HelperText>
          Letters, digits, _ and -. The file is cases/{name || "name"}.yaml.
        </Field.HelperText>
        {taken && <Field.ErrorText color="red.fg">This case is there already.</Field.ErrorText>}
      </Field.Root>
      <Text fontSize="sm" fontWeight="medium">
        From now on it must give
      </Text>
      {result !== null && result.error !== null ? (
        <Text fontSize="sm">this error: {result.error}</Text>
      ) : (
        <Check checked={withResult} label="exactly this result" onChange={setWithResult} />
      )}
      {Object.keys(result?.attributes ?? {})
        .filter((key) => !key.endsWith(".error"))
        .map((key) => (
          <Check
            checked={chosen.includes(key)}
            key={key}
            label={`${key} = ${result?.attributes[key] ?? ""}`}
            onChange={(on) => {
              setChosen(on ? [...chosen, key] : chosen.filter((other) => other !== key));
            }}
          />
        ))}
    </DialogForm>
  );
};

/** The text may have been edited, so nothing is masked in it behind one's back. */
const Personal = ({ busy, onMask }: { busy: boolean; onMask: (() => void) | null }) => (
  <Alert.Root status="warning">
    <Alert.Indicator />
    <Alert.Content alignItems="start" gap={2}>
      <Alert.Title>The file will hold personal data</Alert.Title>
      <Alert.Description>
        This input was fetched unmasked. With the next save it goes into the flow&apos;s folder as it stands,
        and stays in the history.
        {onMask === null && " To keep none of it, fetch a request masked on the first card and take it over."}
      </Alert.Description>
      {onMask !== null && (
        <Button disabled={busy} onClick={onMask} size="xs" variant="outline">
          Fetch one masked instead
        </Button>
      )}
    </Alert.Content>
  </Alert.Root>
);

const Check = ({
  checked,
  label,
  onChange,
}: {
  checked: boolean;
  label: string;
  onChange: (on: boolean) => void;
}) => (
  <Checkbox.Root
    checked={checked}
    onCheckedChange={(change) => {
      onChange(change.checked === true);
    }}
  >
    <Checkbox.HiddenInput />
    <Checkbox.Control />
    <Checkbox.Label wordBreak="break-word">{label}</Checkbox.Label>
  </Checkbox.Root>
);

/** The attributes that the step set or changed. */
const newNames = (given: Record<string, string>, left: Record<string, string>) =>
  Object.keys(left).filter((name) => given[name] !== left[name] && !name.endsWith(".error"));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
