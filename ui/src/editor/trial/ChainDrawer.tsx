import {
  Accordion,
  Alert,
  Badge,
  chakra,
  CloseButton,
  Drawer,
  Field,
  Heading,
  HStack,
  Input,
  Portal,
  Stack,
  Text,
  Textarea,
} from "@chakra-ui/react";
import { useState } from "react";

import { messageOf } from "../../api";
import type { Chain, ChainStep } from "../../types";
import { CARDS } from "../cards";
import { useFlowEditor } from "../useEditor";
import { beginning, firstStep, pretty, prettyText, runChain } from "./inputs";
import { PersonalMark } from "./PersonalMark";
import { Result } from "./Result";
import { RunButton } from "./Stop";
import { useStoppable } from "./useStoppable";
import { useTrials } from "./useTrials";

/** The whole way of one request without sending anything. */
export const ChainDrawer = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Drawer.Root
    lazyMount
    onOpenChange={(change) => {
      if (!change.open) onClose();
    }}
    open={open}
    size="lg"
  >
    <Portal>
      <Drawer.Backdrop />
      <Drawer.Positioner>
        <Drawer.Content>
          <Drawer.Header>
            <Drawer.Title>Test the whole chain</Drawer.Title>
          </Drawer.Header>
          <Drawer.Body>
            <Body />
          </Drawer.Body>
          <Drawer.CloseTrigger asChild>
            <CloseButton aria-label="Close" size="sm" />
          </Drawer.CloseTrigger>
        </Drawer.Content>
      </Drawer.Positioner>
    </Portal>
  </Drawer.Root>
);

const Body = () => {
  const { flow, draft, document } = useFlowEditor();
  const trials = useTrials();
  const { answer, setAnswer } = trials;
  // with whether its input was unmasked: another may arrive while what this one gave is shown
  const [ran, setRan] = useState<{ chain: Chain; personal: boolean } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const stoppable = useStoppable();

  const run = () => {
    setError(null);
    void stoppable.during(
      "Running",
      async (signal) => {
        const { personal } = trials.of(firstStep(document));
        const chain = await runChain(flow.id, draft, beginning(trials, document), answer, signal);
        setRan({ chain, personal });
      },
      {
        onError: (failed) => {
          setError(messageOf(failed));
        },
        onStop: () => {
          setRan(null);
        },
      },
    );
  };

  return (
    <Stack gap={4}>
      <Text color="fg.muted" fontSize="sm">
        The first card&apos;s test input goes through every card. Nothing is sent: the ERP is pretended to
        answer what stands here.
      </Text>
      <HStack align="start" gap={3}>
        <Field.Root width="7rem">
          <Field.Label>Status</Field.Label>
          <Input
            inputMode="numeric"
            onChange={({ target }) => {
              setAnswer({ ...answer, status: Number(target.value) || 0 });
            }}
            size="sm"
            value={String(answer.status)}
          />
        </Field.Root>
        <Field.Root>
          <Field.Label>Body</Field.Label>
          <Textarea
            fontFamily="mono"
            onChange={({ target }) => {
              setAnswer({ ...answer, body: target.value });
            }}
            rows={2}
            size="sm"
            value={answer.body}
          />
        </Field.Root>
      </HStack>
      <HStack>
        <RunButton disabled={!flow.rights.test} onRun={run} stoppable={stoppable}>
          Run the chain
        </RunButton>
        {ran?.personal === true && <PersonalMark />}
      </HStack>
      <Stack aria-live="polite" gap={4}>
        {error !== null && (
          <Alert.Root status="error">
            <Alert.Indicator />
            <Alert.Title>{error}</Alert.Title>
          </Alert.Root>
        )}
        {ran !== null && <Outcome chain={ran.chain} key={JSON.stringify(ran.chain)} />}
      </Stack>
    </Stack>
  );
};

const titleOf = (step: string) => CARDS.find((card) => card.id === step)?.title ?? step;

const Outcome = ({ chain }: { chain: Chain }) => (
  <>
    <Accordion.Root
      collapsible
      defaultValue={chain.steps.filter(({ error }) => error !== null).map(({ step }) => step)}
      multiple
    >
      {chain.steps.map((step) => (
        <Accordion.Item key={step.step} value={step.step}>
          <Accordion.ItemTrigger>
            <HStack flex="1">
              <Verdict step={step} />
              {titleOf(step.step)}
              {step.skipped !== null && (
                <Text color="fg.muted" fontSize="sm">
                  {step.skipped}
                </Text>
              )}
            </HStack>
            <Accordion.ItemIndicator />
          </Accordion.ItemTrigger>
          <Accordion.ItemContent>
            <Accordion.ItemBody>
              {step.skipped === null && (
                <Stack gap={2}>
                  <Code label="input" text={prettyText(step.input)} />
                  <Result height="10rem" label={titleOf(step.step)} result={step} />
                </Stack>
              )}
            </Accordion.ItemBody>
          </Accordion.ItemContent>
        </Accordion.Item>
      ))}
    </Accordion.Root>
    {chain.error !== null && (
      <Alert.Root status="error">
        <Alert.Indicator />
        <Alert.Title>{chain.error}</Alert.Title>
      </Alert.Root>
    )}
    {chain.call !== null && (
      <Stack gap={1}>
        <Heading as="h3" size="sm">
          The call that would be sent
        </Heading>
        <Code
          label="the call"
          text={[
            `${chain.call.method} ${chain.call.url}`,
            ...Object.entries(chain.call.headers).map(([name, value]) => `${name}: ${value}`),
            "",
            chain.call.body === null ? "" : prettyText(pretty(chain.call.body)),
          ].join("\n")}
        />
      </Stack>
    )}
    {chain.write_back !== null && (
      <Stack gap={1}>
        <Heading as="h3" size="sm">
          What Omnitron would be told <Badge>{chain.write_back.outcome.replaceAll("_", " ")}</Badge>
        </Heading>
        {chain.write_back.calls.length === 0 ? (
          <Text fontSize="sm">Nothing.</Text>
        ) : (
          <Code
            label="calls to Omnitron"
            text={chain.write_back.calls.map((call) => pretty(call)).join("\n")}
          />
        )}
      </Stack>
    )}
  </>
);

const Verdict = ({ step }: { step: ChainStep }) => {
  if (step.skipped !== null) return <Badge>skipped</Badge>;
  return step.error === null ? (
    <Badge colorPalette="success">ran</Badge>
  ) : (
    <Badge colorPalette="failed">error</Badge>
  );
};

const Code = ({ label, text }: { label: string; text: string }) => (
  <chakra.pre
    aria-label={label}
    bg="bg.subtle"
    borderRadius="md"
    fontSize="xs"
    maxHeight="16rem"
    overflow="auto"
    p={2}
    role="region"
    tabIndex={0}
    whiteSpace="pre-wrap"
    wordBreak="break-word"
  >
    {text}
  </chakra.pre>
);
