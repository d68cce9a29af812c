import { Field, Heading, NativeSelect, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";

import { CodeEditor } from "../../code/CodeEditor";
import type { Json } from "../../types";
import { isObject, problemsAt, valueAt } from "../draft";
import { Row, SelectField, TextField, Wrong } from "../fields";
import { type Option, STATUSES } from "../labels";
import { pretty } from "../trial/inputs";
import { useFlowEditor } from "../useEditor";

const KINDS: readonly Option[] = [
  ["nothing", "Nothing"],
  ["status", "Set a status"],
  ["action", "Reject the request"],
  ["tag", "Add a tag"],
  ["request", "A call of its own"],
];

const BEGINNINGS: Record<string, Json> = {
  nothing: null,
  status: { status: "completed" },
  action: { action: "reject" },
  tag: { tag: "sent_to_erp" },
  request: {
    request: {
      method: "PATCH",
      path: "/api/v1/cancellation_requests/{{ request.id }}/",
      body: { status: "completed" },
    },
  },
};

export const WriteToOmnitronCard = () => (
  <Stack gap={6}>
    <Told label="When the ERP said yes" path="write_to_omnitron.on_success" />
    <Told label="When the ERP said no" path="write_to_omnitron.on_failure" />
  </Stack>
);

const Told = ({ label, path }: { label: string; path: string }) => {
  const { document, problems, locked, set } = useFlowEditor();
  const value = valueAt(document, path);
  const kind = isObject(value) ? (KINDS.find(([key]) => key in value)?.[0] ?? "nothing") : "nothing";
  const ownProblems = problemsAt(problems, path).filter((problem) => problem.path === path);
  return (
    <Stack gap={2}>
      <Heading as="h3" size="sm">
        {label}
      </Heading>
      <Row>
        <Field.Root gap={1}>
          <Field.Label>Omnitron is told</Field.Label>
          <NativeSelect.Root disabled={locked !== null} size="sm">
            <NativeSelect.Field
              aria-label={`${label}, Omnitron is told`}
              onChange={({ target }) => {
                set(path, BEGINNINGS[target.value] ?? null);
              }}
              value={kind}
            >
              {KINDS.map(([key, words]) => (
                <option key={key} value={key}>
                  {words}
                </option>
              ))}
            </NativeSelect.Field>
            <NativeSelect.Indicator />
          </NativeSelect.Root>
          <Wrong problems={ownProblems} />
        </Field.Root>
        {kind === "status" && <SelectField label="Status" options={STATUSES} path={`${path}.status`} />}
        {kind === "tag" && <TextField label="Tag" path={`${path}.tag`} />}
      </Row>
      {kind === "request" && <OwnCall path={`${path}.request`} />}
    </Stack>
  );
};

const OwnCall = ({ path }: { path: string }) => {
  const { document, locked, set } = useFlowEditor();
  const body = valueAt(document, `${path}.body`);
  const [typed, setTyped] = useState(pretty(body));
  const [broken, setBroken] = useState(false);
  return (
    <Stack gap={3}>
      <Row>
        <SelectField
          label="Method"
          options={[
            ["PATCH", "PATCH"],
            ["POST", "POST"],
            ["PUT", "PUT"],
          ]}
          path={`${path}.method`}
        />
        <TextField
          help="On Omnitron, beginning with /; {{ request.id }} and the like are filled in."
          label="Path"
          path={`${path}.path`}
        />
      </Row>
      <Text fontSize="sm" fontWeight="medium">
        Body
      </Text>
      <CodeEditor
        height="9rem"
        label="Body"
        language="json"
        onChange={(text) => {
          setTyped(text);
          const parsed = parse(text);
          setBroken(parsed === undefined);
          if (parsed !== undefined) set(`${path}.body`, parsed);
        }}
        readOnly={locked !== null}
        value={typed}
      />
      {broken && (
        <Text color="red.fg" fontSize="sm" role="alert">
          This is no JSON yet; the last valid body is kept.
        </Text>
      )}
    </Stack>
  );
};

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
