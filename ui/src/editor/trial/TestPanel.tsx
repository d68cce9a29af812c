import { Box, Button, Grid, Heading, HStack, Kbd, Spinner, Stack, Text } from "@chakra-ui/react";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

import { api } from "../../api";
import { CodeEditor } from "../../code/CodeEditor";
import { Diff } from "../../shared/Diff";
import { complain } from "../../toaster";
import type { Tried } from "../../types";
import { Pairs } from "../Pairs";
import { useFlowEditor } from "../useEditor";
import { Explain } from "./Explain";
import { type During, FromMenu } from "./FromMenu";
import { awaited, firstStep, type TestedStep } from "./inputs";
import { PersonalMark } from "./PersonalMark";
import { Result } from "./Result";
import { SaveCase } from "./SaveCase";
import { Stop } from "./Stop";
import { useStoppable } from "./useStoppable";
import { useTrials } from "./useTrials";

/** Try a step on an input, as in the document: input, attributes, run, result. */
export const TestPanel = ({
  step,
  hint,
  onChain,
}: {
  step: TestedStep;
  hint: ReactNode;
  onChain: () => void;
}) => {
  const { flow, draft, document } = useFlowEditor();
  const trials = useTrials();
  const { input, attributes, result, personal } = trials.of(step);
  const [saving, setSaving] = useState(false);
  const { begin, busy, during: mayStop, stop } = useStoppable();

  const during: During = (what, work, onStop) =>
    mayStop(what, work, {
      onError: (error) => {
        complain(`${what} failed`, error);
      },
      onStop,
    });

  const run = (compare: boolean) => {
    const work = async (signal: AbortSignal) => {
      const json = { draft, step, input, attributes: Object.fromEntries(attributes), explain: true, compare };
      const path = `flows/${encodeURIComponent(flow.id)}/try`;
      trials.put(step, { result: await api<Tried>(path, { method: "POST", json, signal }) });
    };
    void during(compare ? "Comparing" : "Running", work, () => {
      trials.put(step, { result: null });
    });
  };

  useRunKey(() => {
    if (busy === null && flow.rights.test) run(false);
  });

  return (
    <Stack aria-label="Test" as="section" borderTopWidth="1px" gap={3} pt={3}>
      <HStack flexWrap="wrap" justify="space-between">
        <Heading as="h3" size="sm">
          Test
        </Heading>
        <Text color="fg.muted" fontSize="xs">
          {hint}
        </Text>
      </HStack>
      <Grid gap={4} templateColumns={{ base: "minmax(0, 1fr)", xl: "minmax(0, 1fr) minmax(0, 1fr)" }}>
        <Stack gap={2}>
          <HStack flexWrap="wrap" gap={2}>
            <FromMenu busy={busy !== null} during={during} step={step} />
            <Button onClick={onChain} size="xs" variant="outline">
              Test the whole chain
            </Button>
            {personal && <PersonalMark />}
          </HStack>
          <CodeEditor
            height="18rem"
            label="Input"
            language="json"
            onChange={(text) => {
              trials.put(step, { input: text });
            }}
            placeholder={awaited(step, firstStep(document))}
            value={input}
          />
          <HStack flexWrap="wrap" gap={2}>
            <Button
              disabled={busy !== null || !flow.rights.test}
              loading={busy === "Running"}
              loadingText="Running"
              onClick={() => {
                run(false);
              }}
              ref={begin}
              size="sm"
            >
              Run
            </Button>
            <Button
              disabled={busy !== null || !flow.rights.test}
              loading={busy === "Comparing"}
              loadingText="Comparing"
              onClick={() => {
                run(true);
              }}
              size="sm"
              variant="outline"
            >
              Compare with live
            </Button>
            <Stop busy={busy} stop={stop} />
            <Text color="fg.muted" fontSize="xs">
              <Kbd size="sm">Ctrl</Kbd> + <Kbd size="sm">Enter</Kbd> runs
            </Text>
          </HStack>
          <Pairs
            add="+ Add Attributes"
            onChange={(next) => {
              trials.put(step, { attributes: next });
            }}
            pairs={attributes}
            what="Attributes"
          />
        </Stack>
        <Stack aria-live="polite" gap={2}>
          <HStack gap={2} justify="space-between" minHeight={6}>
            <Text fontSize="sm" fontWeight="medium">
              Result {busy !== null && <Spinner size="xs" />}
            </Text>
            {result !== null && (
              <Button
                onClick={() => {
                  setSaving(true);
                }}
                size="xs"
                variant="outline"
              >
                Save as test case
              </Button>
            )}
          </HStack>
          {result === null ? (
            <Text color="fg.muted" fontSize="sm">
              Nothing was run yet. What you run here is sent nowhere, and saved nowhere.
            </Text>
          ) : (
            <>
              <Compared result={result} />
              <Result label="Result" result={result} />
              {step === "mapping" && result.explain !== null && <Explain explain={result.explain} />}
            </>
          )}
        </Stack>
      </Grid>
      <SaveCase
        onClose={() => {
          setSaving(false);
        }}
        open={saving}
        step={step}
      />
    </Stack>
  );
};

/** Ctrl+Enter, wherever the cursor is on the card. */
function useRunKey(run: () => void) {
  const latest = useRef(run);
  // what the screen shows is what the key does, also at once
  useLayoutEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    const press = ({ key, ctrlKey, metaKey, target }: KeyboardEvent) => {
      const inDialog =
        target instanceof Element && target.closest("[role=dialog], [role=alertdialog]") !== null;
      if (key === "Enter" && (ctrlKey || metaKey) && !inDialog) latest.current();
    };
    document.addEventListener("keydown", press);
    return () => {
      document.removeEventListener("keydown", press);
    };
  }, []);
}

const Compared = ({ result }: { result: Tried }) => {
  if (result.live === null && result.diff === null) return null;
  if (result.diff === null || result.diff === "") {
    return <Text fontSize="sm">The saved flow gives the same result and attributes.</Text>;
  }
  return (
    <Box>
      <Text fontSize="sm">What differs from the saved flow (−) in result and attributes:</Text>
      <Diff label="Difference from live" text={result.diff} />
    </Box>
  );
};
