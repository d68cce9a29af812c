import { Button, Field, Input, RadioGroup, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { api, messageOf } from "../api";
import { DialogForm, FormDialog } from "../shared/FormDialog";
import type { FlowList, FlowRow, NewFlow } from "../types";
import { faultOfId, idFor } from "./flowId";
import { IdField } from "./IdField";

interface Asked {
  open: boolean;
  list: FlowList;
  /** The flow to duplicate; null: a template is chosen. */
  copyOf: FlowRow | null;
  /** What has the focus once it is closed; null: the button that opened it. */
  focusAfter: () => HTMLElement | null;
  onClose: () => void;
}

export const NewFlowDialog = (asked: Asked) => (
  <FormDialog focusAfter={asked.focusAfter} onClose={asked.onClose} open={asked.open}>
    <Form {...asked} />
  </FormDialog>
);

const Form = ({ list, copyOf, onClose }: Asked) => {
  const navigate = useNavigate();
  const [title, setTitle] = useState(copyOf === null ? "" : `${copyOf.title || copyOf.id}, copy`);
  const [typed, setTyped] = useState<string | null>(null);
  const [template, setTemplate] = useState(list.templates[0]?.name ?? "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const id = typed ?? idFor(title);
  const fault = faultOfId(
    id,
    list.flows.map((flow) => flow.id),
  );

  const create = async () => {
    setBusy(true);
    setError(null);
    const from: Partial<NewFlow> = copyOf === null ? { template } : { copy_of: copyOf.id };
    try {
      await api("flows", { method: "POST", json: { id, title: title.trim() || undefined, ...from } });
      await navigate(`/plugin/flows?flow=${id}`, { state: { fromList: true } });
    } catch (failed) {
      setError(messageOf(failed));
      setBusy(false);
    }
  };

  return (
    <DialogForm
      busy={busy}
      buttons={
        <Button disabled={id === "" || fault !== null} loading={busy} loadingText="Making it" type="submit">
          {copyOf === null ? "Create" : "Duplicate"}
        </Button>
      }
      error={error}
      onClose={onClose}
      onSubmit={() => {
        if (id !== "" && fault === null) void create();
      }}
      title={copyOf === null ? "New flow" : `Duplicate ${copyOf.id}`}
    >
      <Field.Root>
        <Field.Label>Title</Field.Label>
        <Input
          maxLength={200}
          onChange={({ target }) => {
            setTitle(target.value);
          }}
          placeholder="Acme, cancellations to SAP"
          value={title}
        />
      </Field.Root>
      <IdField
        fault={fault}
        help="The folder's name and the DAG's id. It can't be changed later."
        id={id}
        onChange={setTyped}
      />
      {copyOf === null && (
        <RadioGroup.Root
          aria-label="Template"
          onValueChange={({ value }) => {
            setTemplate(value ?? "");
          }}
          value={template}
        >
          <Stack gap={2}>
            <Text fontSize="sm" fontWeight="medium">
              Begin with
            </Text>
            {list.templates.map((one) => (
              <RadioGroup.Item alignItems="start" key={one.name} value={one.name}>
                <RadioGroup.ItemHiddenInput />
                <RadioGroup.ItemIndicator mt={1} />
                <RadioGroup.ItemText>
                  {one.title}
                  <Text color="fg.muted" fontSize="xs" fontWeight="normal">
                    {one.description}
                  </Text>
                </RadioGroup.ItemText>
              </RadioGroup.Item>
            ))}
          </Stack>
        </RadioGroup.Root>
      )}
    </DialogForm>
  );
};
