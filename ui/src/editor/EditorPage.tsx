import { Alert, Box, Button, Flex, Heading, HStack, Spinner, Stack, Text } from "@chakra-ui/react";
import { type ReactNode, useState } from "react";
import { useSearchParams } from "react-router-dom";

import { api } from "../api";
import { Confirm } from "../shared/Confirm";
import { EmptyState } from "../shared/EmptyState";
import { ErrorNote } from "../shared/ErrorNote";
import { Loading } from "../shared/Loading";
import { PageLink } from "../shared/PageLink";
import { complain } from "../toaster";
import type { Draft, Flow, Saved } from "../types";
import { useApi } from "../useApi";
import { CardNav } from "./CardNav";
import { type Card, CARDS, isOn } from "./cards";
import { CasesCard } from "./cards/CasesCard";
import { GetDataCard } from "./cards/GetDataCard";
import { HistoryCard } from "./cards/HistoryCard";
import { AboutCard, DeliveryCard } from "./cards/PlainCards";
import { RawCard } from "./cards/RawCard";
import { ScheduleCard } from "./cards/ScheduleCard";
import { CustomResponseCard, MappingCard, PostScriptCard, ScriptCard } from "./cards/ScriptCards";
import { WriteToErpCard } from "./cards/WriteToErpCard";
import { WriteToOmnitronCard } from "./cards/WriteToOmnitronCard";
import { Toggle } from "./fields";
import { Header } from "./Header";
import { SaveDialog } from "./save/SaveDialog";
import { useTakenUp } from "./save/useTakenUp";
import { ChainDrawer } from "./trial/ChainDrawer";
import { TrialsContext, useNewTrials } from "./trial/useTrials";
import { useAirflowNews } from "./useAirflowNews";
import { EditorContext, useEditor, useFlowEditor } from "./useEditor";
import { useSwitch } from "./useSwitch";
import { useUnsavedGuard } from "./useUnsavedGuard";

/** A flow's cards: on a page of their own, or in the DAG's tab. */
export const EditorPage = ({ dagId, inTab }: { dagId: string; inTab: boolean }) => {
  const { data, error, reload } = useApi<Flow>(`flows/${encodeURIComponent(dagId)}`);
  if (error?.status === 404) {
    return (
      <EmptyState title={`${dagId} is no flow`}>
        {inTab ? "This DAG is not made from a flow folder. " : "Somebody may have deleted it. "}
        <PageLink to="/plugin/flows">See all flows</PageLink>
      </EmptyState>
    );
  }
  if (error !== undefined) return <ErrorNote error={error} retry={reload} title={`${dagId} can't be read`} />;
  if (data === undefined) return <Loading lines={8} what="Reading the flow" />;
  return <Designer inTab={inTab} loaded={data} />;
};

const Designer = ({ loaded, inTab }: { loaded: Flow; inTab: boolean }) => {
  const editor = useEditor(loaded);
  const trials = useNewTrials(loaded.answer);
  const [params] = useSearchParams();
  const [saving, setSaving] = useState(false);
  const [chain, setChain] = useState(false);
  const [savedAt, setSavedAt] = useState<string | null>(null);
  const blocker = useUnsavedGuard(editor.unsaved.length > 0);
  const { flow, takeSaved } = editor;
  const card = CARDS.find(({ id }) => id === params.get("card")) ?? CARDS[0];

  const saved = (outcome: Saved, sent: Draft | null) => {
    setSavedAt(outcome.saved_at);
    api<Flow>(`flows/${encodeURIComponent(flow.id)}`).then(
      (now) => {
        takeSaved(now, sent);
      },
      (error: unknown) => {
        complain("It is saved, but could not be read again", error);
      },
    );
  };

  if (card === undefined) return null;
  return (
    <EditorContext value={editor}>
      <TrialsContext value={trials}>
        <Stack gap={3}>
          <Header
            inTab={inTab}
            onAirflow={editor.takeAirflow}
            onChain={() => {
              setChain(true);
            }}
            onSave={() => {
              setSaving(true);
            }}
          />
          <Notices flow={flow} key={savedAt} savedAt={savedAt} />
          <Flex align="start" direction={{ base: "column", md: "row" }} gap={4}>
            <CardNav active={card.id} />
            <Box
              as="section"
              aria-label={card.title}
              borderRadius="lg"
              borderWidth="1px"
              flex="1"
              minWidth={0}
              p={4}
              width="full"
            >
              <CardBody
                card={card}
                onChain={() => {
                  setChain(true);
                }}
                onRestored={(outcome) => {
                  saved(outcome, null);
                }}
              />
            </Box>
          </Flex>
        </Stack>
        <SaveDialog
          onClose={() => {
            setSaving(false);
          }}
          onSaved={saved}
          open={saving}
        />
        <ChainDrawer
          onClose={() => {
            setChain(false);
          }}
          open={chain}
        />
        <Confirm
          action="Leave"
          danger
          onClose={() => blocker.reset?.()}
          onConfirm={() => Promise.resolve(blocker.proceed?.())}
          open={blocker.state === "blocked"}
          title="Leave without saving?"
        >
          <Text>What you changed in {editor.unsaved.join(", ")} would be lost.</Text>
        </Confirm>
      </TrialsContext>
    </EditorContext>
  );
};

/** What concerns the whole flow: why it is read-only, whether Airflow has taken up a save, errors of the check. */
const Notices = ({ flow, savedAt }: { flow: Flow; savedAt: string | null }) => {
  const { locked, checkError, takeAirflow } = useFlowEditor();
  const taken = useTakenUp(flow.id, savedAt);
  useAirflowNews(flow, taken?.state === "live" ? savedAt : null, takeAirflow);
  const [closed, setClosed] = useState(false);
  return (
    <Stack aria-live="polite" gap={2}>
      {locked !== null && (
        <Notice status="info" title={`Read-only: ${locked}`}>
          {flow.rights.test ? "The test panels work all the same." : ""}
        </Notice>
      )}
      {checkError !== null && (
        <Notice status="warning" title="The last change could not be checked">
          {checkError}
        </Notice>
      )}
      {taken !== null && !closed && (
        <Notice
          onClose={() => {
            setClosed(true);
          }}
          status={taken.state === "live" ? "success" : taken.state === "broken" ? "error" : "info"}
          title={TAKEN[taken.state]}
        >
          {taken.state === "waiting" && <Spinner size="xs" />}
          {taken.broken.join(" ")}
        </Notice>
      )}
    </Stack>
  );
};

const TAKEN = {
  waiting: "Saved. Airflow takes it up…",
  slow: "Saved. Airflow has not taken it up yet: is its DAG processor running?",
  live: "Saved, and live in Airflow. Runs that have begun keep what they began with.",
  broken: "Saved, but Airflow finds it broken.",
} as const;

const Notice = ({
  status,
  title,
  children,
  onClose,
}: {
  status: "info" | "warning" | "success" | "error";
  title: string;
  children?: ReactNode;
  onClose?: () => void;
}) => (
  <Alert.Root alignItems="center" size="sm" status={status}>
    <Alert.Indicator />
    <Alert.Content flexDirection="row" gap={2}>
      <Alert.Title>{title}</Alert.Title>
      <Alert.Description>{children}</Alert.Description>
    </Alert.Content>
    {onClose !== undefined && (
      <Button onClick={onClose} size="xs" variant="ghost">
        Close
      </Button>
    )}
  </Alert.Root>
);

const CardBody = ({
  card,
  onChain,
  onRestored,
}: {
  card: Card;
  onChain: () => void;
  onRestored: (saved: Saved) => void;
}) => {
  const { document, reading } = useFlowEditor();
  const needsDocument = card.keys.length > 0;
  return (
    <Stack gap={4}>
      <HStack justify="space-between">
        <Heading as="h2" size="md">
          {card.title}
        </Heading>
        {card.optional !== undefined && document !== null && <CardSwitch card={card} />}
      </HStack>
      {needsDocument && reading ? (
        <Loading what="Reading flow.yaml" />
      ) : needsDocument && document === null ? (
        <EmptyState title="flow.yaml can't be read as it stands">
          Repair it in its text: the card flow.yaml says what is wrong, and where.
        </EmptyState>
      ) : isOn(card, document) ? (
        contentOf(card.id, onChain, onRestored)
      ) : (
        <EmptyState title="This step is off">
          {OFF[card.id]} Switch it on, and a template is put in; switched off again, its file stays.
        </EmptyState>
      )}
    </Stack>
  );
};

const OFF: Record<string, string> = {
  script: "Requests go on as Omnitron gave them.",
  mapping: "The ERP gets what the script gives, or the request as it is.",
  custom_response:
    "2xx is a yes, 401 asks for a new token, 429 waits, another 5xx or a redirect to a page is in doubt, all else is a no.",
  post_script: "Nothing runs after Omnitron was told.",
};

const CardSwitch = ({ card }: { card: Card }) => {
  const { on, turn, locked } = useSwitch(card);
  return <Toggle checked={on} disabled={locked} label={on ? "On" : "Off"} onChange={turn} />;
};

function contentOf(id: string, onChain: () => void, onRestored: (saved: Saved) => void): ReactNode {
  switch (id) {
    case "get_data":
      return <GetDataCard />;
    case "script":
      return <ScriptCard onChain={onChain} />;
    case "mapping":
      return <MappingCard onChain={onChain} />;
    case "write_to_erp":
      return <WriteToErpCard />;
    case "custom_response":
      return <CustomResponseCard onChain={onChain} />;
    case "write_to_omnitron":
      return <WriteToOmnitronCard />;
    case "post_script":
      return <PostScriptCard onChain={onChain} />;
    case "schedule":
      return <ScheduleCard />;
    case "delivery":
      return <DeliveryCard />;
    case "about":
      return <AboutCard />;
    case "cases":
      return <CasesCard />;
    case "raw":
      return <RawCard />;
    default:
      return <HistoryCard onSaved={onRestored} />;
  }
}
