/** Form fields that are bound to a path of the flow's document, each with its label, help and what is wrong. */
import { Field, HStack, Input, NativeSelect, Stack, Switch, Text, Textarea } from "@chakra-ui/react";
import { type ReactNode, useId, useState } from "react";

import type { Json, Problem } from "../types";
import { FLOW_FILE, problemsAt, valueAt } from "./draft";
import type { Option } from "./labels";
import { Pairs } from "./Pairs";
import { useFlowEditor } from "./useEditor";

interface Bound {
  path: string;
  label: string;
  help?: ReactNode;
}

function useField(path: string) {
  const { document, checked, problems, locked, set } = useFlowEditor();
  return {
    value: valueAt(document, path),
    fallback: valueAt(checked.effective, path),
    wrong: problemsAt(problems, path).filter(isOfTheField),
    locked: locked !== null,
    put: (value: Json | undefined) => {
      set(path, value);
    },
  };
}

/** What is wrong in a script or a mapping is shown at its line, and not at the field that names the file. */
const isOfTheField = ({ file }: Problem) => file === null || file === FLOW_FILE;

const tells = (message: string, line: number) => message.toLowerCase().includes(`line ${line}`);

export const Wrong = ({ problems }: { problems: readonly Problem[] }) => (
  <Stack aria-live="polite" gap={0}>
    {problems.map(({ path, message, line }) => (
      <Text color="red.fg" fontSize="sm" key={path + message}>
        {line === null || tells(message, line) ? "" : `Line ${line}: `}
        {message}
      </Text>
    ))}
  </Stack>
);

const Framed = ({
  label,
  help,
  wrong,
  required,
  children,
}: Omit<Bound, "path"> & { wrong: Problem[]; required?: boolean; children: ReactNode }) => (
  <Field.Root gap={1} invalid={wrong.length > 0} required={required}>
    <Field.Label>
      {label}
      <Field.RequiredIndicator />
    </Field.Label>
    {children}
    {help !== undefined && <Field.HelperText>{help}</Field.HelperText>}
    <Wrong problems={wrong} />
  </Field.Root>
);

const textOf = (value: Json | undefined) =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);

const orAbsent = (text: string) => (text === "" ? undefined : text);

export const TextField = ({
  path,
  label,
  help,
  required,
  lines,
  options,
  placeholder,
  onText = orAbsent,
}: Bound & {
  required?: boolean;
  lines?: number;
  /** Offered while one types. */
  options?: readonly string[];
  placeholder?: string;
  onText?: (text: string) => Json | undefined;
}) => {
  const { value, fallback, wrong, locked, put } = useField(path);
  const list = useId();
  const hint = placeholder ?? textOf(fallback);
  const shared = {
    disabled: locked,
    placeholder: hint,
    value: textOf(value),
    onChange: (event: { target: { value: string } }) => {
      put(onText(event.target.value));
    },
  };
  return (
    <Framed help={help} label={label} required={required} wrong={wrong}>
      {lines === undefined ? (
        <Input {...shared} list={options === undefined ? undefined : list} size="sm" />
      ) : (
        <Textarea {...shared} rows={lines} size="sm" />
      )}
      {options !== undefined && (
        <datalist id={list}>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </datalist>
      )}
    </Framed>
  );
};

/** A number; what is none is kept as it was typed, and the check says so. */
export const NumberField = ({ path, label, help }: Bound) => {
  const { value, fallback, wrong, locked, put } = useField(path);
  const [typed, setTyped] = useState(textOf(value));
  const shown = Number(typed) === value ? typed : textOf(value);
  return (
    <Framed help={help} label={label} wrong={wrong}>
      <Input
        disabled={locked}
        inputMode="decimal"
        onChange={({ target }) => {
          setTyped(target.value);
          put(asNumber(target.value));
        }}
        placeholder={textOf(fallback)}
        size="sm"
        value={shown}
      />
    </Framed>
  );
};

export function asNumber(text: string): Json | undefined {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** A length of time: 30s, 5m, 6h, 7d, or plain seconds. */
export const DurationField = (bound: Bound) => (
  <TextField
    {...bound}
    onText={(text) => (/^\d+$/.test(text) ? Number(text) : text === "" ? undefined : text)}
  />
);

export const SelectField = ({
  path,
  label,
  help,
  options,
  required,
}: Bound & { options: readonly Option[]; required?: boolean }) => {
  const { value, fallback, wrong, locked, put } = useField(path);
  const shown = textOf(value ?? fallback);
  return (
    <Framed help={help} label={label} required={required} wrong={wrong}>
      <NativeSelect.Root disabled={locked} size="sm">
        <NativeSelect.Field
          onChange={({ target }) => {
            put(target.value === "" ? undefined : target.value);
          }}
          value={shown}
        >
          {!options.some(([option]) => option === shown) && (
            <option value={shown}>{shown || "Choose"}</option>
          )}
          {options.map(([option, words]) => (
            <option key={option} value={option}>
              {words}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </Framed>
  );
};

/** Yes or no; what is the default is not written. */
export const SwitchField = ({ path, label, help, byDefault = false }: Bound & { byDefault?: boolean }) => {
  const { value, wrong, locked, put } = useField(path);
  return (
    <Stack gap={1}>
      <Toggle
        checked={(value ?? byDefault) === true}
        disabled={locked}
        label={label}
        onChange={(on) => {
          put(on === byDefault ? undefined : on);
        }}
      />
      {help !== undefined && (
        <Text color="fg.muted" fontSize="xs">
          {help}
        </Text>
      )}
      <Wrong problems={wrong} />
    </Stack>
  );
};

export const Toggle = ({
  checked,
  disabled,
  label,
  onChange,
}: {
  checked: boolean;
  disabled?: boolean;
  label: string;
  onChange: (on: boolean) => void;
}) => (
  <Switch.Root
    checked={checked}
    disabled={disabled}
    onCheckedChange={(change) => {
      onChange(change.checked);
    }}
  >
    <Switch.HiddenInput />
    <Switch.Control>
      <Switch.Thumb />
    </Switch.Control>
    <Switch.Label>{label}</Switch.Label>
  </Switch.Root>
);

/** Names and their texts, such as headers. */
export const PairsField = ({ path, label, help, add }: Bound & { add: string }) => {
  const { value, wrong, locked, put } = useField(path);
  const pairs = Object.entries((value ?? {}) as Record<string, string>);
  return (
    <Stack gap={1}>
      <Text fontSize="sm" fontWeight="medium">
        {label}
      </Text>
      <Pairs
        add={add}
        disabled={locked}
        onChange={(next) => {
          put(next.length === 0 ? undefined : Object.fromEntries(next));
        }}
        pairs={pairs}
        what={label}
      />
      {help !== undefined && (
        <Text color="fg.muted" fontSize="xs">
          {help}
        </Text>
      )}
      <Wrong problems={wrong} />
    </Stack>
  );
};

/** Texts with commas between, as a list. */
export const ListField = (bound: Bound & { placeholder?: string }) => {
  const { value, wrong, locked, put } = useField(bound.path);
  const items = Array.isArray(value) ? value.map(textOf) : [];
  const [typed, setTyped] = useState(items.join(", "));
  const parsed = partsOf(typed);
  const shown = parsed.join() === items.join() ? typed : items.join(", ");
  return (
    <Framed help={bound.help} label={bound.label} wrong={wrong}>
      <Input
        disabled={locked}
        onChange={({ target }) => {
          setTyped(target.value);
          const parts = partsOf(target.value);
          put(parts.length === 0 ? undefined : parts);
        }}
        placeholder={bound.placeholder}
        size="sm"
        value={shown}
      />
    </Framed>
  );
};

const partsOf = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Fields beside each other where there is room. */
export const Row = ({ children }: { children: ReactNode }) => (
  <HStack align="start" css={{ "& > *": { flex: "1 1 13rem", minWidth: "0" } }} flexWrap="wrap" gap={4}>
    {children}
  </HStack>
);
