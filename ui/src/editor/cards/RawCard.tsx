import { Stack, Text } from "@chakra-ui/react";

import { CodeEditor } from "../../code/CodeEditor";
import { CARDS, problemsOf } from "../cards";
import { FLOW_FILE } from "../draft";
import { Wrong } from "../fields";
import { useFlowEditor } from "../useEditor";

/** flow.yaml as text. What the other cards changed stands in it, comments and order kept. */
export const RawCard = () => {
  const { draft, checked, checking, problems, locked, setRaw } = useFlowEditor();
  const merging = draft.document !== null && checking;
  const text = draft.document === null ? (draft.files[FLOW_FILE] ?? "") : checked.flow_yaml;
  const inFile = problems.filter(({ file }) => file === FLOW_FILE || file === null);
  const card = CARDS.find(({ id }) => id === "raw");
  const elsewhere = card === undefined ? [] : problemsOf(card, problems);
  return (
    <Stack gap={2}>
      <Text color="fg.muted" fontSize="sm">
        The same settings as text. Lines that no card changes stay as they are, with their comments.
      </Text>
      <CodeEditor
        height="32rem"
        label="flow.yaml"
        language="yaml"
        marks={inFile.flatMap(({ line, path, message }) =>
          line === null ? [] : [{ line, message: `${path}: ${message}` }],
        )}
        onChange={setRaw}
        readOnly={locked !== null || merging}
        value={text}
      />
      <Wrong problems={elsewhere} />
    </Stack>
  );
};
