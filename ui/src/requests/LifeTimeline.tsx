import { Badge, Box, Code, Heading, HStack, Link, Span, Stack, Text, Timeline } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";

import { paletteOf, StateBadge } from "../shared/StateBadge";
import { Time } from "../shared/Time";
import type { Moment, Payload } from "./types";
import { Fold, JsonView } from "./JsonView";
import { byAttempt, duration, type Attempt, type Step } from "./timeline";

const SHORT = 10;

/** All that happened, attempt by attempt, with what was sent and answered. */
export const LifeTimeline = ({
  flow,
  timeline,
  payloads,
}: {
  flow: string;
  timeline: Moment[];
  payloads: Payload[];
}) => {
  const { attempts, rest } = byAttempt(timeline, payloads);
  return (
    <Stack gap={5}>
      {attempts.map((attempt, index) => (
        <OneAttempt attempt={attempt} flow={flow} key={index} />
      ))}
      {rest.length > 0 && (
        <Stack as="section" gap={1}>
          <Heading as="h3" size="sm">
            Kept besides
          </Heading>
          <Bodies payloads={rest} />
        </Stack>
      )}
    </Stack>
  );
};

const OneAttempt = ({ attempt, flow }: { attempt: Attempt; flow: string }) => {
  const { number, runs, revisions, from, to, steps } = attempt;
  const took = Date.parse(to) - Date.parse(from);
  return (
    <Box as="section">
      <HStack flexWrap="wrap" gap={3} mb={3}>
        <Heading as="h3" size="sm">
          {number === null ? "Before it was taken up" : `Attempt ${number}`}
        </Heading>
        <HStack color="fg.muted" flexWrap="wrap" fontSize="xs" gap={3}>
          <Time at={from} exact />
          {took > 0 && <span>took {duration(took)}</span>}
          {runs.map((run) => (
            <Span key={run} overflowWrap="anywhere">
              run{" "}
              <Link asChild color="fg.info">
                <RouterLink to={`/dags/${encodeURIComponent(flow)}/runs/${encodeURIComponent(run)}`}>
                  {run}
                </RouterLink>
              </Link>
            </Span>
          ))}
          {revisions.map((revision) => (
            <span key={revision} title={`The flow's version: ${revision}`}>
              version <Code size="xs">{revision.slice(0, SHORT)}</Code>
            </span>
          ))}
        </HStack>
      </HStack>
      <Timeline.Root size="sm" variant="subtle">
        {steps.map((step, index) => (
          <OneMoment key={index} step={step} />
        ))}
      </Timeline.Root>
    </Box>
  );
};

const OneMoment = ({ step }: { step: Step }) => (
  <Timeline.Item>
    <Timeline.Connector>
      <Timeline.Separator />
      <Timeline.Indicator
        bg={step.state === null ? "fg.muted" : `${paletteOf(step.state)}.solid`}
        borderWidth={0}
        boxSize="0.75rem"
        mt={1.5}
        mx="0.3rem"
      />
    </Timeline.Connector>
    <Timeline.Content gap={0.5} pb={3}>
      <HStack flexWrap="wrap" gap={2}>
        <Text fontWeight="medium">{step.card}</Text>
        {step.state !== null && <StateBadge state={step.state} />}
        {step.send !== null && step.send > 0 && DELIVERY.has(step.step) && (
          <Badge variant="outline">call {step.send}</Badge>
        )}
        <Span color="fg.muted" fontSize="xs">
          <Time at={step.at} exact />
          {step.duration_ms !== null && ` · ${duration(step.duration_ms)}`}
        </Span>
        {step.log_url !== null && (
          <Link asChild color="fg.info" fontSize="xs">
            <RouterLink aria-label={`Task log of ${step.card}`} to={`/${step.log_url.replace(/^\//, "")}`}>
              Task log
            </RouterLink>
          </Link>
        )}
      </HStack>
      {step.note !== null && step.note !== "" && step.note !== step.state && (
        <Text color="fg.muted" fontSize="sm" overflowWrap="anywhere">
          {step.note}
        </Text>
      )}
      <Bodies payloads={step.payloads} />
    </Timeline.Content>
  </Timeline.Item>
);

/** The steps that call the ERP or judge what it said. */
const DELIVERY = new Set(["write_to_erp", "custom_response"]);

const WORDS: Record<string, string> = {
  request: "The request as Omnitron had it",
  script: "What the script made of it",
  attributes: "Attributes",
  mapping: "What the mapping made of it",
  sent: "What was sent to the ERP",
  answer: "The ERP's answer",
};

const Bodies = ({ payloads }: { payloads: Payload[] }) =>
  payloads.map(({ kind, number, data }) => {
    const words = WORDS[kind] ?? kind;
    return (
      <Fold key={`${kind} ${number}`} title={words}>
        <JsonView data={data} label={`${words} (${number})`} />
      </Fold>
    );
  });
