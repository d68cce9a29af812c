import { Badge, Button, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useEffect, useState } from "react";
import { useLocation } from "react-router-dom";

import { Confirm } from "../shared/Confirm";
import { PageLink } from "../shared/PageLink";
import { Time } from "../shared/Time";
import { StateBadge } from "../shared/StateBadge";
import type { Flow } from "../types";
import { valueAt } from "./draft";
import { RunButtons } from "./RunButtons";
import { useFlowEditor } from "./useEditor";

interface Actions {
  inTab: boolean;
  onSave: () => void;
  onChain: () => void;
  onAirflow: (flow: Flow) => void;
}

/** The flow's name and state, and what can be done with the whole of it. */
export const Header = ({ inTab, onSave, onChain, onAirflow }: Actions) => {
  const { flow, document, locked, unsaved, checking, problems, discard, heading } = useFlowEditor();
  // the names as they were when it was asked: a dialog keeps its words while it closes
  const [discarding, setDiscarding] = useState({ open: false, names: "" });
  const { state } = useLocation() as { state: { fromList?: boolean } | null };
  const cameFromList = state?.fromList === true;
  useEffect(() => {
    if (cameFromList) heading.current?.focus(); // what had it stands in the list, which is gone
  }, [cameFromList, heading]);
  const title = valueAt(document, "title");
  return (
    <HStack
      align="start"
      bg="bg"
      css={{ "@media (min-width: 1024px)": { position: "sticky", top: "-1rem", zIndex: 5 } }}
      flexWrap="wrap"
      gap={3}
      justify="space-between"
      mt={-4}
      pb={1}
      pt={4}
    >
      <Stack flex="1" gap={0} minW="16rem">
        {!inTab && (
          <Text fontSize="xs">
            <PageLink to="/plugin/flows">Flows</PageLink>
          </Text>
        )}
        <HStack flexWrap="wrap" gap={2}>
          <Heading as="h1" ref={heading} size="lg" tabIndex={-1}>
            {typeof title === "string" && title !== "" ? title : flow.id}
          </Heading>
          <Text color="fg.muted" fontFamily="mono" fontSize="sm">
            {flow.id}
          </Text>
          <AirflowBadge flow={flow} />
          {unsaved.length > 0 && <Badge colorPalette="warning">not saved</Badge>}
        </HStack>
        <HStack color="fg.muted" flexWrap="wrap" fontSize="xs" gap={3}>
          <Text>
            next run <Time at={flow.airflow.next_run} />
          </Text>
          <Text>
            last run <Time at={flow.airflow.last_run?.at} />
            {flow.airflow.last_run && `, ${flow.airflow.last_run.state}`}
          </Text>
          {flow.airflow.known && <PageLink to={`/dags/${flow.id}`}>Grid</PageLink>}
          <PageLink to={`/plugin/requests?flow=${flow.id}`}>Requests</PageLink>
        </HStack>
      </Stack>
      <HStack flexWrap="wrap" gap={2}>
        <RunButtons flow={flow} onAirflow={onAirflow} />
        <Button onClick={onChain} size="sm" variant="outline">
          Test the whole chain
        </Button>
        <Button
          disabled={unsaved.length === 0}
          onClick={() => {
            setDiscarding({ open: true, names: unsaved.join(", ") });
          }}
          size="sm"
          variant="outline"
        >
          Discard
        </Button>
        <Button disabled={locked !== null || unsaved.length === 0} onClick={onSave} size="sm">
          {problems.length > 0 && !checking ? `Save (${problems.length} to repair)` : "Save"}
        </Button>
      </HStack>
      <Confirm
        action="Discard"
        danger
        focusAfter={() => (unsaved.length === 0 ? heading.current : null)} // its button is disabled by then
        onClose={() => {
          setDiscarding({ ...discarding, open: false });
        }}
        onConfirm={() => {
          discard();
          return Promise.resolve();
        }}
        open={discarding.open}
        title="Discard what is not saved?"
      >
        <Text>What you changed in {discarding.names} is thrown away.</Text>
      </Confirm>
    </HStack>
  );
};

const AirflowBadge = ({ flow: { airflow: state, checked, draft } }: { flow: Flow }) => {
  if (checked.problems.length > 0) return <StateBadge state="broken" />;
  if (valueAt(checked.document ?? draft.document, "enabled") === false)
    return <StateBadge state="disabled" />;
  if (!state.known) return <StateBadge state="new" />;
  return <StateBadge state={state.paused === true ? "paused" : "live"} />;
};
