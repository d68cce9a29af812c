import { Alert, Box, Button, chakra, Heading, HStack, Stack, Table, Text } from "@chakra-ui/react";
import { useRef, useState } from "react";

import { api, apiUrl } from "../api";
import { Confirm } from "../shared/Confirm";
import { EmptyState } from "../shared/EmptyState";
import { ErrorNote } from "../shared/ErrorNote";
import { Loading } from "../shared/Loading";
import { PageLink } from "../shared/PageLink";
import { StateBadge } from "../shared/StateBadge";
import { Time } from "../shared/Time";
import { complain, say } from "../toaster";
import type { Flow, FlowList, FlowRow, Saved } from "../types";
import { useApi } from "../useApi";
import { Counts } from "./Counts";
import { ImportDialog } from "./ImportDialog";
import { NewFlowDialog } from "./NewFlowDialog";
import { RowMenu } from "./RowMenu";

type Open = { kind: "new" | "import" } | { kind: "copy" | "delete"; flow: FlowRow } | null;

const REFRESH_MS = 15_000;

/** All flows: how they stand, and what can be done with each. */
export const FlowsPage = () => {
  const { data, error, reload } = useApi<FlowList>("flows", { refreshMs: REFRESH_MS });
  const [open, setOpen] = useState<Open>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  /** What has the focus after a dialog that a row's menu opened; null: the button that opened it. */
  const next = useRef<HTMLElement>(null);
  const ask = (what: Open, button: HTMLElement | null) => {
    next.current = button;
    setOpen(what);
  };
  const close = () => {
    setOpen(null);
  };
  if (data === undefined && error !== undefined) {
    return <ErrorNote error={error} retry={reload} title="The flows can't be read" />;
  }
  if (data === undefined) return <Loading lines={6} what="Reading the flows" />;
  const mayCreate = data.can_create && data.writable;
  return (
    <Stack gap={4}>
      <HStack flexWrap="wrap" justify="space-between">
        <Heading as="h1" ref={heading} size="lg" tabIndex={-1}>
          {data.flows.length === 1 ? "1 flow" : `${data.flows.length} flows`}
        </Heading>
        <HStack>
          <Button
            disabled={!mayCreate}
            onClick={() => {
              ask({ kind: "import" }, null);
            }}
            size="sm"
            variant="outline"
          >
            Import
          </Button>
          <Button
            disabled={!mayCreate}
            onClick={() => {
              ask({ kind: "new" }, null);
            }}
            size="sm"
          >
            New flow
          </Button>
        </HStack>
      </HStack>
      {!data.writable && <ReadOnly why={data.why_not} />}
      {error !== undefined && <ErrorNote error={error} retry={reload} title="This list may be old" />}
      {data.flows.length === 0 ? (
        <EmptyState title="No flow yet">
          {mayCreate
            ? "Begin with New flow: a template has every step in it."
            : "You see no flow with your role."}
        </EmptyState>
      ) : (
        <FlowTable
          flows={data.flows}
          onCopy={(flow, button) => {
            ask({ kind: "copy", flow }, button);
          }}
          onDelete={(flow, button) => {
            ask({ kind: "delete", flow }, button);
          }}
          reload={reload}
          writable={data.writable}
          mayCreate={mayCreate}
        />
      )}
      <NewFlowDialog
        copyOf={open?.kind === "copy" ? open.flow : null}
        focusAfter={() => next.current}
        list={data}
        onClose={close}
        open={open?.kind === "new" || open?.kind === "copy"}
      />
      <ImportDialog list={data} onClose={close} open={open?.kind === "import"} />
      {open?.kind === "delete" && (
        <Delete
          flow={open.flow}
          focusAfter={() => next.current}
          onClose={close}
          onDone={() => {
            next.current = heading.current; // its row goes
            reload();
          }}
        />
      )}
    </Stack>
  );
};

const ReadOnly = ({ why }: { why: string | null }) => (
  <Alert.Root size="sm" status="info">
    <Alert.Indicator />
    <Alert.Title>Read-only: {why ?? "the flows folder can't be written."}</Alert.Title>
  </Alert.Root>
);

interface Rows {
  flows: FlowRow[];
  writable: boolean;
  mayCreate: boolean;
  reload: () => void;
  onCopy: (flow: FlowRow, button: HTMLElement | null) => void;
  onDelete: (flow: FlowRow, button: HTMLElement | null) => void;
}

/** In a narrow window the schedule stands below the name, and the last column is not cut off. */
const WIDE = { base: "none", lg: "table-cell" };

const FlowTable = ({ flows, ...actions }: Rows) => (
  <Box overflowX="auto">
    <Table.Root size="sm">
      <Table.Header>
        <Table.Row>
          <Table.ColumnHeader>Flow</Table.ColumnHeader>
          <Table.ColumnHeader>State</Table.ColumnHeader>
          <Table.ColumnHeader display={WIDE}>Schedule</Table.ColumnHeader>
          <Table.ColumnHeader display={WIDE}>Next run</Table.ColumnHeader>
          <Table.ColumnHeader>Last run</Table.ColumnHeader>
          <Table.ColumnHeader title="done and failed: of the last 24 hours; in doubt and parked: as they stand">
            Requests, last day
          </Table.ColumnHeader>
          <Table.ColumnHeader>
            <chakra.span srOnly>Actions</chakra.span>
          </Table.ColumnHeader>
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {flows.map((flow) => (
          <FlowTableRow flow={flow} key={flow.id} {...actions} />
        ))}
      </Table.Body>
    </Table.Root>
  </Box>
);

const FlowTableRow = ({
  flow,
  writable,
  mayCreate,
  reload,
  onCopy,
  onDelete,
}: Omit<Rows, "flows"> & { flow: FlowRow }) => (
  <Table.Row>
    <Table.Cell maxWidth="20rem" verticalAlign="top">
      <PageLink fontWeight="semibold" state={{ fromList: true }} to={`/plugin/flows?flow=${flow.id}`}>
        {flow.title || flow.id}
      </PageLink>
      <Text color="fg.muted" fontFamily="mono" fontSize="xs">
        {flow.id}
        {flow.owner === null ? "" : ` · ${flow.owner}`}
      </Text>
      <Text color="fg.muted" display={{ lg: "none" }} fontSize="xs">
        {flow.schedule}
        {flow.next_run !== null && (
          <>
            , next <Time at={flow.next_run} />
          </>
        )}
      </Text>
      {flow.problems.slice(0, 2).map(({ path, message }) => (
        <Text color="red.fg" fontSize="xs" key={path + message} whiteSpace="normal">
          {path === "" ? "" : `${path}: `}
          {message}
        </Text>
      ))}
      {flow.problems.length > 2 && (
        <Text color="red.fg" fontSize="xs">
          and {flow.problems.length - 2} more
        </Text>
      )}
    </Table.Cell>
    <Table.Cell verticalAlign="top">
      <StateBadge state={flow.state} />
    </Table.Cell>
    <Table.Cell display={WIDE} verticalAlign="top" whiteSpace="normal">
      {flow.schedule}
    </Table.Cell>
    <Table.Cell display={WIDE} verticalAlign="top">
      <Time at={flow.next_run} />
    </Table.Cell>
    <Table.Cell verticalAlign="top">
      {flow.last_run === null ? (
        <Time at={null} />
      ) : (
        <PageLink color="inherit" to={`/dags/${flow.id}/runs/${encodeURIComponent(flow.last_run.run_id)}`}>
          <StateBadge state={flow.last_run.state} /> <Time at={flow.last_run.at} />
        </PageLink>
      )}
    </Table.Cell>
    <Table.Cell verticalAlign="top">
      <Counts counts={flow.counts} flow={flow.id} />
    </Table.Cell>
    <Table.Cell textAlign="end" verticalAlign="top">
      <RowMenu
        flow={flow}
        mayCreate={mayCreate}
        onCopy={(button) => {
          onCopy(flow, button);
        }}
        onDelete={(button) => {
          onDelete(flow, button);
        }}
        onExport={() => {
          location.assign(apiUrl(`flows/${encodeURIComponent(flow.id)}/export`));
        }}
        onSwitch={() => void switchFlow(flow).then(reload)}
        writable={writable}
      />
    </Table.Cell>
  </Table.Row>
);

async function switchFlow({ id, enabled }: FlowRow): Promise<void> {
  const path = `flows/${encodeURIComponent(id)}`;
  try {
    const { revision } = await api<Flow>(path);
    await api<Saved>(`${path}/enabled`, { method: "POST", json: { enabled: !enabled, base: revision } });
    say(enabled ? `${id} is disabled` : `${id} is enabled`);
  } catch (error) {
    complain(`${id} could not be ${enabled ? "disabled" : "enabled"}`, error);
  }
}

const Delete = ({
  flow,
  focusAfter,
  onClose,
  onDone,
}: {
  flow: FlowRow;
  focusAfter: () => HTMLElement | null;
  onClose: () => void;
  onDone: () => void;
}) => (
  <Confirm
    action="Delete"
    danger
    focusAfter={focusAfter}
    onClose={onClose}
    onConfirm={async () => {
      const path = `flows/${encodeURIComponent(flow.id)}`;
      const { revision } = await api<Flow>(path);
      await api(path, { method: "DELETE", json: { base: revision } });
      say(`${flow.id} is deleted`, "Its last version stays in the history.");
      onDone();
    }}
    open
    title={`Delete ${flow.id}?`}
    typed={flow.id}
  >
    <Text>
      The folder is removed, and no run will begin any more. What the ledger knows of its requests stays
      {flow.counts.in_doubt + flow.counts.parked > 0
        ? `, but ${flow.counts.in_doubt + flow.counts.parked} of them wait for a person, and nothing will take them up.`
        : "."}
    </Text>
  </Confirm>
);
