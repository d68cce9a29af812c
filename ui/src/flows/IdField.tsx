import { Field, Input } from "@chakra-ui/react";

/** A flow's id, and what is wrong with it while it is typed. */
export const IdField = ({
  id,
  fault,
  help,
  onChange,
}: {
  id: string;
  fault: string | null;
  help?: string;
  onChange: (id: string) => void;
}) => (
  <Field.Root invalid={fault !== null} required>
    <Field.Label>Id</Field.Label>
    <Input
      autoComplete="off"
      fontFamily="mono"
      onChange={({ target }) => {
        onChange(target.value);
      }}
      value={id}
    />
    {help !== undefined && <Field.HelperText>{help}</Field.HelperText>}
    <Field.ErrorText color="red.fg" aria-live="polite">
      {fault}
    </Field.ErrorText>
  </Field.Root>
);
