import { Button, Field, Input, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { api, ApiError, messageOf } from "../api";
import { DialogForm, FormDialog } from "../shared/FormDialog";
import type { FlowList, Problem } from "../types";
import { faultOfId, idFor } from "./flowId";
import { IdField } from "./IdField";

interface Asked {
  open: boolean;
  list: FlowList;
  onClose: () => void;
}

/** A zip as “Export” makes it becomes a flow. */
export const ImportDialog = (asked: Asked) => (
  <FormDialog onClose={asked.onClose} open={asked.open}>
    <Form {...asked} />
  </FormDialog>
);

const MOST_BYTES = 3 * 1024 * 1024; // as base64 it must fit into the 4 MiB that the server takes

const Form = ({ list, onClose }: Asked) => {
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const id = typed ?? idFor(file?.name.replace(/\.zip$/i, "") ?? "");
  const fault = faultOfId(
    id,
    list.flows.map((flow) => flow.id),
  );
  const tooLarge = file !== null && file.size > MOST_BYTES;
  const ready = file !== null && !tooLarge && id !== "" && fault === null;

  const take = async (archive: File) => {
    setBusy(true);
    setError(undefined);
    try {
      const json = { id, archive: await base64Of(archive), note: `Imported from ${archive.name}` };
      await api("flows", { method: "POST", json });
      await navigate(`/plugin/flows?flow=${id}`, { state: { fromList: true } });
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };

  return (
    <DialogForm
      busy={busy}
      buttons={
        <Button disabled={!ready} loading={busy} loadingText="Importing" type="submit">
          Import
        </Button>
      }
      error={error === undefined ? null : <Refused error={error} />}
      onClose={onClose}
      onSubmit={() => {
        if (ready) void take(file);
      }}
      title="Import a flow"
    >
      <Field.Root invalid={tooLarge} required>
        <Field.Label>Zip file</Field.Label>
        <Input
          accept=".zip,application/zip"
          onChange={({ target }) => {
            setFile(target.files?.[0] ?? null);
          }}
          p={1}
          type="file"
        />
        <Field.HelperText>A flow&apos;s folder, as Export gives it.</Field.HelperText>
        <Field.ErrorText color="red.fg">3 MiB is the most.</Field.ErrorText>
      </Field.Root>
      <IdField fault={fault} id={id} onChange={setTyped} />
    </DialogForm>
  );
};

const Refused = ({ error }: { error: unknown }) => {
  const problems: Problem[] = error instanceof ApiError ? (error.detail.problems ?? []) : [];
  return (
    <>
      <Text>{messageOf(error)}</Text>
      {problems.map(({ path, message }) => (
        <Text fontSize="sm" key={path + message}>
          {path === "" ? "" : `${path}: `}
          {message}
        </Text>
      ))}
    </>
  );
};

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      const url = reader.result;
      resolve(typeof url === "string" ? (url.split(",")[1] ?? "") : "");
    };
    reader.onerror = () => {
      reject(new Error(`${file.name} can't be read.`));
    };
    reader.readAsDataURL(file);
  });
}
