import { Alert, Box, DataList, Heading, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link as RouterLink, useLocation } from "react-router-dom";

import { ErrorNote } from "../shared/ErrorNote";
import { Loading } from "../shared/Loading";
import { StateBadge } from "../shared/StateBadge";
import { Time } from "../shared/Time";
import type { Life, Payload } from "./types";
import { useApi } from "../useApi";
import { adviceFor, isUnderWay } from "./advice";
import { nameOf } from "./consequences";
import { FocusedButton, LifeActions, Reveal } from "./LifeActions";
import { LifeTimeline } from "./LifeTimeline";
import { NextTry } from "./NextTry";
import { Trouble } from "./Trouble";

const SOON_MS = 4_000;

/** One request's life: was it sent once, what to do now, and all that happened. */
export const LifePage = ({ flow, uuid, inRun }: { flow: string; uuid: string; inRun: boolean }) => {
  const [busy, setBusy] = useState(false);
  const path = `flows/${encodeURIComponent(flow)}/requests/${encodeURIComponent(uuid)}`;
  const { data: life, error, reload } = useApi<Life>(path, { refreshMs: busy ? SOON_MS : undefined });
  const underWay = life !== undefined && (life.redo || isUnderWay([life.state]));
  if (underWay !== busy) setBusy(underWay);
  return (
    <Stack gap={4} maxWidth="80rem" mx="auto">
      <BackLink flow={flow} inRun={inRun} />
      {life === undefined && error === undefined && <Loading what="Loading the request" />}
      {life === undefined && error !== undefined && <Trouble error={error} retry={reload} />}
      {life !== undefined && (
        <>
          {error !== undefined && <ErrorNote error={error} retry={reload} title="Not up to date" />}
          <Whole life={life} onDone={reload} />
        </>
      )}
    </Stack>
  );
};

/** The list that one came from, by its filters; null: one came another way. */
type From = { back?: string } | null;

/** To the list that one came from, with its filters. */
const BackLink = ({ flow, inRun }: { flow: string; inRun: boolean }) => {
  const { pathname, state } = useLocation() as { pathname: string; state: From };
  const search = state?.back ?? (inRun ? "" : `?flow=${encodeURIComponent(flow)}`);
  return (
    <Link asChild color="fg.info" fontSize="sm" width="fit-content">
      <RouterLink to={{ pathname, search }}>← {inRun ? "Requests of this run" : "Requests"}</RouterLink>
    </Link>
  );
};

const Whole = ({ life, onDone }: { life: Life; onDone: () => void }) => {
  const [revealed, setRevealed] = useState<Payload[] | null>(null);
  return (
    <>
      <Head life={life} />
      <Story life={life} />
      <LifeActions life={life} onDone={onDone} />
      <Facts life={life} />
      <Box as="section">
        <HStack flexWrap="wrap" justify="space-between" mb={3}>
          <Heading as="h2" size="md">
            What happened
          </Heading>
          <Privacy
            life={life}
            onHide={() => {
              setRevealed(null);
            }}
            onShown={(payloads) => {
              setRevealed(payloads);
              onDone();
            }}
            revealed={revealed !== null}
          />
        </HStack>
        <LifeTimeline flow={life.flow} payloads={revealed ?? life.payloads} timeline={life.timeline} />
      </Box>
    </>
  );
};

/** Its name takes the focus when one comes from the list, whose link is gone. */
const Head = ({ life }: { life: Life }) => {
  const { state } = useLocation() as { state: From };
  const cameFromList = state?.back !== undefined;
  const name = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (cameFromList) name.current?.focus();
  }, [cameFromList]);
  return (
    <HStack flexWrap="wrap" gap={4} justify="space-between">
      <Stack gap={0}>
        <Heading as="h1" ref={name} size="xl" tabIndex={-1}>
          {nameOf(life)}
        </Heading>
        <Text color="fg.muted">
          {life.order_number === null ? "" : `order ${life.order_number} · `}flow{" "}
          <Link asChild color="fg.info">
            <RouterLink to={`/plugin/flows?flow=${encodeURIComponent(life.flow)}`}>{life.flow}</RouterLink>
          </Link>
        </Text>
      </Stack>
      <Box css={{ "& > span": { fontSize: "lg", height: "auto", px: 4, py: 1.5 } }} data-testid="state">
        <StateBadge state={life.state} />
      </Box>
    </HStack>
  );
};

/** The sentence that tells how often it was sent. */
const ABOUT_SENDING = /^it was (never )?sent/i;

const Story = ({ life }: { life: Life }) => {
  const lead = life.story.find((sentence) => ABOUT_SENDING.test(sentence)) ?? life.story[0];
  const others = life.story.filter((sentence) => sentence !== lead);
  return (
    <Stack aria-label="The story" as="section" bg="bg.subtle" borderRadius="md" gap={2} p={4}>
      <Text fontSize="lg" fontWeight="semibold">
        {lead}
      </Text>
      <Stack gap={1}>
        {others.map((sentence, index) => (
          <Text fontSize="sm" key={index} overflowWrap="anywhere">
            {sentence}
          </Text>
        ))}
      </Stack>
      <Text borderTopWidth="1px" pt={2}>
        <strong>What to do now: </strong>
        {life.redo ? <Waiting flow={life.flow} /> : adviceFor(life)}
        {life.next_at !== null && !life.redo && (
          <>
            {" "}
            The next try: <NextTry row={life} />.
          </>
        )}
      </Text>
    </Stack>
  );
};

const Waiting = ({ flow }: { flow: string }) => (
  <>
    It is done again at the next run. To have it now, trigger{" "}
    <Link asChild color="fg.info">
      <RouterLink to={`/dags/${encodeURIComponent(flow)}`}>its DAG</RouterLink>
    </Link>
    .
  </>
);

const Facts = ({ life }: { life: Life }) => (
  <DataList.Root
    display="grid"
    gap={3}
    gridTemplateColumns="repeat(auto-fill, minmax(11rem, 1fr))"
    orientation="vertical"
    size="sm"
  >
    <Fact name="SKU">{life.sku ?? "–"}</Fact>
    <Fact name="Channel">{life.channel ?? "–"}</Fact>
    <Fact name="ERP's last status">{life.erp_status ?? "–"}</Fact>
    <Fact name="Relation">{life.relation ?? "–"}</Fact>
    <Fact name="Taken up">{times(life.attempts)}</Fact>
    <Fact name="Sent to the ERP">{times(life.sends)}</Fact>
    <Fact name="First seen">
      <Time at={life.first_seen} exact />
    </Fact>
    <Fact name="Last changed">
      <Time at={life.last_changed} exact />
    </Fact>
    <Fact name="uuid" wide>
      {life.uuid}
    </Fact>
    <Fact name="Idempotency key of the last call" wide>
      {life.idempotency_key ?? "–"}
    </Fact>
    {life.next_key !== null && (
      <Fact name="Next key" wide>
        {life.next_key}
      </Fact>
    )}
  </DataList.Root>
);

const times = (count: number) => (count === 0 ? "never" : count === 1 ? "once" : `${count} times`);

const Fact = ({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) => (
  <DataList.Item gridColumn={wide === true ? "span 2" : undefined}>
    <DataList.ItemLabel>{name}</DataList.ItemLabel>
    <DataList.ItemValue overflowWrap="anywhere">{children}</DataList.ItemValue>
  </DataList.Item>
);

interface Private {
  life: Life;
  revealed: boolean;
  onShown: (payloads: Payload[]) => void;
  onHide: () => void;
}

/** Of the two buttons that stand in one place, the one that comes takes the focus from the one that goes. */
const Privacy = ({ life, revealed, onShown, onHide }: Private) => {
  const [masked, setMasked] = useState(false);
  if (life.erased) return <Text color="fg.muted">The customer's data has been erased.</Text>;
  if (life.payloads.length === 0) return <Text color="fg.muted">There are no bodies to show.</Text>;
  if (!revealed)
    return (
      <HStack>
        <Text color="fg.muted" fontSize="sm">
          Personal data is masked.
        </Text>
        <Reveal focused={masked} life={life} onShown={onShown} />
      </HStack>
    );
  return (
    <Alert.Root alignItems="center" size="sm" status="warning" width="auto">
      <Alert.Indicator />
      <Alert.Title>Personal data is shown</Alert.Title>
      <FocusedButton
        focused
        onClick={() => {
          setMasked(true);
          onHide();
        }}
      >
        Mask it again
      </FocusedButton>
    </Alert.Root>
  );
};
