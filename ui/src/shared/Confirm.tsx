import { Button, Field, Input } from "@chakra-ui/react";
import { useState, type ReactNode } from "react";

import { messageOf } from "../api";
import { DialogForm, FormDialog } from "./FormDialog";

interface Asked {
  open: boolean;
  title: string;
  /** What the answer brings about, in plain words. */
  children: ReactNode;
  /** The button's word: what is done. */
  action: string;
  danger?: boolean;
  /** A text that must be typed first, such as the name of what gets deleted. */
  typed?: string;
  /** A reason is asked for, and may not be empty. */
  reason?: string;
  onClose: () => void;
  /** What has the focus afterwards, where the button that asked can't have it; null: that button. */
  focusAfter?: () => HTMLElement | null;
  /** What is done; the dialog stays and shows the message if it fails. */
  onConfirm: (reason: string) => Promise<unknown>;
}

/** Ask before something that can't be taken back. */
export const Confirm = (asked: Asked) => (
  <FormDialog focusAfter={asked.focusAfter} onClose={asked.onClose} open={asked.open} role="alertdialog">
    <Question {...asked} />
  </FormDialog>
);

const Question = ({ title, children, action, danger, typed, reason, onClose, onConfirm }: Asked) => {
  const [name, setName] = useState("");
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const ready = (typed === undefined || name === typed) && (reason === undefined || why.trim() !== "");

  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm(why.trim());
      onClose();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };

  return (
    <DialogForm
      busy={busy}
      buttons={
        <Button
          colorPalette={danger === true ? "red" : "brand"}
          disabled={!ready}
          loading={busy}
          type="submit"
        >
          {action}
        </Button>
      }
      error={error === undefined ? null : messageOf(error)}
      onClose={onClose}
      onSubmit={() => {
        if (ready) void confirm();
      }}
      title={title}
    >
      {children}
      {typed !== undefined && (
        <Field.Root>
          <Field.Label>Type {typed} to go on</Field.Label>
          <Input
            autoComplete="off"
            onChange={(event) => {
              setName(event.target.value);
            }}
            value={name}
          />
        </Field.Root>
      )}
      {reason !== undefined && (
        <Field.Root required>
          <Field.Label>{reason}</Field.Label>
          <Input
            onChange={(event) => {
              setWhy(event.target.value);
            }}
            value={why}
          />
        </Field.Root>
      )}
    </DialogForm>
  );
};
