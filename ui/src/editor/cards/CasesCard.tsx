import { Badge, Button, chakra, HStack, Stack, Table, Text } from "@chakra-ui/react";
import { useState } from "react";

import { api } from "../../api";
import { CodeEditor } from "../../code/CodeEditor";
import { Diff } from "../../shared/Diff";
import { EmptyState } from "../../shared/EmptyState";
import { complain } from "../../toaster";
import type { CaseResult } from "../../types";
import { CASES, problemsOf, CARDS } from "../cards";
import { Wrong } from "../fields";
import { RunButton } from "../trial/Stop";
import { useStoppable } from "../trial/useStoppable";
import { useFlowEditor } from "../useEditor";

/** The saved test cases: run all of them, look into one, remove one. */
export const CasesCard = () => {
  const { flow, draft, problems, locked, setFile } = useFlowEditor();
  const [results, setResults] = useState<CaseResult[] | null>(null);
  const stoppable = useStoppable();
  const [open, setOpen] = useState<string | null>(null);
  const files = Object.keys(draft.files)
    .filter((name) => name.startsWith(CASES))
    .sort();
  const card = CARDS.find(({ id }) => id === "cases");

  const run = () => {
    void stoppable.during(
      "Running",
      async (signal) => {
        const path = `flows/${encodeURIComponent(flow.id)}/cases/run`;
        const call = { method: "POST", json: { draft }, signal } as const;
        setResults((await api<{ results: CaseResult[] }>(path, call)).results);
      },
      {
        onError: (error) => {
          complain("The cases could not be run", error);
        },
        onStop: () => {
          setResults(null);
        },
      },
    );
  };

  if (files.length === 0) {
    return (
      <EmptyState title="No test case yet">
        Run a card&apos;s test, then “Save as test case”: from then on each save checks that it still gives
        the same.
      </EmptyState>
    );
  }
  const failed = results?.filter(({ passed }) => !passed).length ?? 0;
  return (
    <Stack gap={3}>
      <HStack>
        <RunButton disabled={!flow.rights.test} onRun={run} stoppable={stoppable}>
          Run all cases
        </RunButton>
        <Text aria-live="polite" fontSize="sm">
          {results !== null &&
            (failed === 0 ? `All ${results.length} pass.` : `${failed} of ${results.length} fail.`)}
        </Text>
      </HStack>
      {card !== undefined && <Wrong problems={problemsOf(card, problems)} />}
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            <Table.ColumnHeader>Case</Table.ColumnHeader>
            <Table.ColumnHeader>Step</Table.ColumnHeader>
            <Table.ColumnHeader>Result</Table.ColumnHeader>
            <Table.ColumnHeader>
              <chakra.span srOnly>Actions</chakra.span>
            </Table.ColumnHeader>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {files.map((file) => {
            const result = results?.find(
              (one) => `${CASES}${nameOf(one.case)}` === file.replace(/\.ya?ml$/, ""),
            );
            return (
              <Table.Row key={file}>
                <Table.Cell fontFamily="mono">{nameOf(file)}</Table.Cell>
                <Table.Cell>{result?.step ?? stepOf(draft.files[file] ?? "")}</Table.Cell>
                <Table.Cell>
                  <Verdict result={result} />
                </Table.Cell>
                <Table.Cell textAlign="end">
                  <Button
                    aria-expanded={open === file}
                    onClick={() => {
                      setOpen(open === file ? null : file);
                    }}
                    size="xs"
                    variant="ghost"
                  >
                    {open === file ? "Close" : "Open"}
                  </Button>
                  <Button
                    disabled={locked !== null}
                    onClick={() => {
                      setFile(file, undefined);
                    }}
                    size="xs"
                    variant="ghost"
                  >
                    Remove
                  </Button>
                </Table.Cell>
              </Table.Row>
            );
          })}
        </Table.Body>
      </Table.Root>
      {results
        ?.filter(({ passed }) => !passed)
        .map((result) => (
          <Stack gap={1} key={result.case}>
            <Text fontSize="sm" fontWeight="medium">
              {nameOf(result.case)}
            </Text>
            <Diff label={`What differs in ${nameOf(result.case)}`} text={result.failures.join("\n")} />
          </Stack>
        ))}
      {open !== null && draft.files[open] !== undefined && (
        <CodeEditor
          height="20rem"
          label={open}
          language="yaml"
          onChange={(text) => {
            setFile(open, text);
          }}
          readOnly={locked !== null}
          value={draft.files[open]}
        />
      )}
    </Stack>
  );
};

const Verdict = ({ result }: { result: CaseResult | undefined }) => {
  if (result === undefined) return <Text color="fg.muted">not run</Text>;
  return result.passed ? (
    <Badge colorPalette="success">passes</Badge>
  ) : (
    <Badge colorPalette="failed">fails</Badge>
  );
};

const nameOf = (file: string) => file.replace(/^cases\//, "").replace(/\.ya?ml$/, "");

const stepOf = (text: string) => /^step:\s*(\w+)/m.exec(text)?.[1] ?? "";
