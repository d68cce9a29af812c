import { Badge, Checkbox, Link, Span, Stack, Table, Text } from "@chakra-ui/react";
import type { KeyboardEvent, MouseEvent } from "react";
import { Link as RouterLink, useLocation } from "react-router-dom";

import { StateBadge } from "../shared/StateBadge";
import { Time } from "../shared/Time";
import type { RequestRow } from "./types";
import { nameOf } from "./consequences";
import { NextTry } from "./NextTry";
import type { Selection } from "./selection";
import { keyOf } from "./settle";

interface Asked {
  rows: RequestRow[];
  selection: Selection;
  /** Whether the user may redo this flow's requests: only those can be chosen. */
  mayRedo: (flow: string) => boolean;
  /** The list is bound to one flow: its name needs no column. */
  ofOneFlow: boolean;
}

const WIDE = { base: "none", lg: "table-cell" };
const WIDER = { base: "none", xl: "table-cell" };
const WIDEST = { base: "none", "2xl": "table-cell" };
const AXIS = "[data-choose] input";

export const RequestTable = ({ rows, selection, mayRedo, ofOneFlow }: Asked) => {
  const free = rows.filter(({ flow }) => mayRedo(flow));
  return (
    <Table.ScrollArea borderRadius="md" borderWidth="1px">
      <Table.Root onKeyDown={walk} size="sm">
        <Table.Header>
          <Table.Row bg="bg.subtle">
            {free.length > 0 && (
              <Table.ColumnHeader width="2.5rem">
                <ChooseAll free={free} selection={selection} />
              </Table.ColumnHeader>
            )}
            <Table.ColumnHeader>Request</Table.ColumnHeader>
            {!ofOneFlow && <Table.ColumnHeader display={WIDE}>Flow</Table.ColumnHeader>}
            <Table.ColumnHeader display={WIDER}>SKU</Table.ColumnHeader>
            <Table.ColumnHeader>State</Table.ColumnHeader>
            <Table.ColumnHeader width="45%">Answer or error</Table.ColumnHeader>
            <Table.ColumnHeader title="How often it was sent to the ERP">Sent</Table.ColumnHeader>
            <Table.ColumnHeader display={WIDEST}>First seen</Table.ColumnHeader>
            <Table.ColumnHeader>Changed</Table.ColumnHeader>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row) => (
            <Row
              choosable={free.length > 0 ? mayRedo(row.flow) : null}
              chosen={selection.keys.has(keyOf(row))}
              key={keyOf(row)}
              ofOneFlow={ofOneFlow}
              onToggle={(range) => {
                selection.toggle(free, free.indexOf(row), range);
              }}
              row={row}
            />
          ))}
        </Table.Body>
      </Table.Root>
    </Table.ScrollArea>
  );
};

/** Arrow keys go from one row's box to the next; the space bar chooses. */
function walk(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const boxes = [...event.currentTarget.querySelectorAll<HTMLInputElement>(AXIS)];
  const at = boxes.indexOf(event.target as HTMLInputElement);
  if (step === undefined || at === -1) return;
  event.preventDefault();
  boxes[at + step]?.focus();
}

const ChooseAll = ({ free, selection }: { free: RequestRow[]; selection: Selection }) => {
  const chosen = selection.among(free).length;
  const all = chosen === free.length;
  return (
    <Checkbox.Root
      checked={all ? true : chosen > 0 ? "indeterminate" : false}
      onCheckedChange={() => {
        if (all) selection.clear();
        else selection.all(free);
      }}
      size="sm"
      verticalAlign="middle"
    >
      <Checkbox.HiddenInput aria-label="Choose all that are shown" />
      <Checkbox.Control />
    </Checkbox.Root>
  );
};

interface Shown {
  row: RequestRow;
  chosen: boolean;
  /** null: there are no boxes. */
  choosable: boolean | null;
  ofOneFlow: boolean;
  onToggle: (range: boolean) => void;
}

const Row = ({ row, chosen, choosable, ofOneFlow, onToggle }: Shown) => (
  <Table.Row aria-selected={choosable === null ? undefined : chosen} bg={chosen ? "bg.muted" : undefined}>
    {choosable !== null && (
      <Table.Cell>
        {choosable && <Choose chosen={chosen} name={nameOf(row)} onToggle={onToggle} />}
      </Table.Cell>
    )}
    <Table.Cell whiteSpace="nowrap">
      <OpenLink row={row} />
      {row.order_number !== null && (
        <Text color="fg.muted" fontSize="xs">
          order {row.order_number}
        </Text>
      )}
      {!ofOneFlow && (
        <Text color="fg.muted" display={{ lg: "none" }} fontSize="xs" whiteSpace="normal">
          {row.flow}
        </Text>
      )}
    </Table.Cell>
    {!ofOneFlow && (
      <Table.Cell display={WIDE} overflowWrap="anywhere">
        {row.flow}
      </Table.Cell>
    )}
    <Table.Cell display={WIDER} overflowWrap="anywhere">
      {row.sku ?? "–"}
    </Table.Cell>
    <Table.Cell>
      <Stack align="start" gap={1}>
        <StateBadge state={row.state} />
        {row.redo && (
          <Badge title="A person has asked for it to be done again at the next run" variant="outline">
            redo asked
          </Badge>
        )}
      </Stack>
    </Table.Cell>
    <Table.Cell>
      <Said row={row} />
    </Table.Cell>
    <Table.Cell fontVariantNumeric="tabular-nums" whiteSpace="nowrap">
      {row.sends} ×
      {row.attempts > 1 && (
        <Text color="fg.muted" fontSize="xs">
          {row.attempts} attempts
        </Text>
      )}
    </Table.Cell>
    <Table.Cell display={WIDEST} fontSize="xs">
      <Time at={row.first_seen} />
    </Table.Cell>
    <Table.Cell fontSize="xs">
      <Time at={row.last_changed} />
      {row.next_at !== null && (
        <Text color="fg.muted" maxWidth="11rem" whiteSpace="normal">
          again <NextTry row={row} />
        </Text>
      )}
    </Table.Cell>
  </Table.Row>
);

const Choose = ({
  chosen,
  name,
  onToggle,
}: {
  chosen: boolean;
  name: string;
  onToggle: (range: boolean) => void;
}) => (
  <Checkbox.Root
    checked={chosen}
    data-choose
    onClick={(event: MouseEvent) => {
      event.preventDefault(); // a label's click comes twice; the shift key is known here only
      onToggle(event.shiftKey);
    }}
    onMouseDown={(event: MouseEvent) => {
      if (event.shiftKey) event.preventDefault(); // else the browser marks the text between
    }}
    size="sm"
    verticalAlign="middle"
  >
    <Checkbox.HiddenInput aria-label={`Choose ${name}`} />
    <Checkbox.Control />
  </Checkbox.Root>
);

/** The way back to this very list goes along. */
const OpenLink = ({ row }: { row: RequestRow }) => {
  const { pathname, search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("flow", row.flow);
  params.set("request", row.uuid);
  return (
    <Link asChild color="fg.info" fontWeight="medium">
      <RouterLink state={{ back: search }} title={row.uuid} to={{ pathname, search: params.toString() }}>
        {nameOf(row).replace("Request ", "")}
      </RouterLink>
    </Link>
  );
};

const Said = ({ row }: { row: RequestRow }) => (
  <Span fontSize="sm" lineClamp={2} overflowWrap="anywhere" title={row.error ?? undefined}>
    {row.erp_status !== null && (
      <Badge me={2} size="sm" variant="outline">
        {row.erp_status}
      </Badge>
    )}
    {row.error ?? (row.state === "postponed" && "wants it later")}
  </Span>
);
