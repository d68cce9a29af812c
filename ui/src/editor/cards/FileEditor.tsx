import { Button, HStack, Menu, Portal, Stack, Text } from "@chakra-ui/react";

import { CodeEditor, type Language } from "../../code/CodeEditor";
import type { Problem } from "../../types";
import { problemsAt, valueAt } from "../draft";
import { Wrong } from "../fields";
import { TEMPLATES } from "../templates";
import { useFlowEditor } from "../useEditor";

/** The file of a step, with what is wrong in it marked at its line. */
export const FileEditor = ({
  step,
  label,
  language,
}: {
  step: string;
  label: string;
  language: Language;
}) => {
  const { document, draft, problems, locked, checking, setFile } = useFlowEditor();
  const named = valueAt(document, `${step}.file`);
  if (typeof named !== "string" || named === "") return null;
  const wrong = problemsAt(problems, step).filter(
    (problem) => problem.file === named || ofFile(step, problem),
  );
  const text = draft.files[named];
  return (
    <Stack gap={2}>
      <HStack justify="space-between">
        <Text fontSize="sm" fontWeight="medium">
          {label}{" "}
          <Text as="span" color="fg.muted" fontFamily="mono" fontSize="xs" fontWeight="normal">
            {named}
          </Text>
        </Text>
        <HStack>
          <Text aria-live="polite" color="fg.muted" fontSize="xs">
            {checking ? "checking…" : wrong.length === 0 ? "no errors" : ""}
          </Text>
          {locked === null && <FromTemplate file={named} step={step} />}
        </HStack>
      </HStack>
      <CodeEditor
        height="24rem"
        label={label}
        language={language}
        marks={wrong.flatMap(({ line, message }) => (line === null ? [] : [{ line, message }]))}
        onChange={(next) => {
          setFile(named, next);
        }}
        placeholder="Empty. A template is at hand above."
        readOnly={locked !== null}
        value={text ?? ""}
      />
      <Wrong problems={wrong} />
    </Stack>
  );
};

const ofFile = (step: string, { path }: Problem) => path === `${step}.file` || path === step;

const FromTemplate = ({ step, file }: { step: string; file: string }) => {
  const { setFile } = useFlowEditor();
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <Button size="xs" variant="ghost">
          Template ▾
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            {(TEMPLATES[step] ?? []).map(({ name, text }) => (
              <Menu.Item
                key={name}
                onClick={() => {
                  setFile(file, text);
                }}
                value={name}
              >
                {name}: replaces what stands here
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
};
