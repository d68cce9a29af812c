import { Badge, Button, chakra, HStack, Stack, Table, Text } from "@chakra-ui/react";
import { useRef, useState } from "react";

import { api } from "../../api";
import { Confirm } from "../../shared/Confirm";
import { FileDiffs } from "../../shared/Diff";
import { EmptyState } from "../../shared/EmptyState";
import { ErrorNote } from "../../shared/ErrorNote";
import { Loading } from "../../shared/Loading";
import { Time } from "../../shared/Time";
import type { FileDiff, Saved, Version } from "../../types";
import { useApi } from "../../useApi";
import { useFlowEditor } from "../useEditor";

/** Every version of the flow: who, when, why, what changed; each can be restored. */
export const HistoryCard = ({ onSaved }: { onSaved: (saved: Saved) => void }) => {
  const { flow, locked } = useFlowEditor();
  const path = `flows/${encodeURIComponent(flow.id)}/history`;
  const { data, error, reload } = useApi<{ versions: Version[] }>(`${path}?of=${flow.revision}`);
  const [open, setOpen] = useState<number | null>(null);
  const [restoring, setRestoring] = useState<Version | null>(null);
  if (error !== undefined)
    return <ErrorNote error={error} retry={reload} title="The history can't be read" />;
  if (data === undefined) return <Loading what="Reading the history" />;
  if (data.versions.length === 0) {
    return <EmptyState title="No version yet">The first save begins the history.</EmptyState>;
  }
  return (
    <Stack gap={3}>
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            <Table.ColumnHeader>When</Table.ColumnHeader>
            <Table.ColumnHeader>Who</Table.ColumnHeader>
            <Table.ColumnHeader>Note</Table.ColumnHeader>
            <Table.ColumnHeader>
              <chakra.span srOnly>Actions</chakra.span>
            </Table.ColumnHeader>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {data.versions.map((version, index) => (
            <Table.Row key={version.id}>
              <Table.Cell>
                <Time at={version.at} exact />
              </Table.Cell>
              <Table.Cell>{version.author}</Table.Cell>
              <Table.Cell>
                {version.note || <Text color="fg.muted">–</Text>}{" "}
                {version.is_current && <Badge colorPalette="success">current</Badge>}
              </Table.Cell>
              <Table.Cell>
                <HStack gap={1} justify="end">
                  <Button
                    aria-expanded={open === version.id}
                    disabled={data.versions[index + 1] === undefined}
                    onClick={() => {
                      setOpen(open === version.id ? null : version.id);
                    }}
                    size="xs"
                    variant="ghost"
                  >
                    {open === version.id ? "Hide changes" : "Changes"}
                  </Button>
                  <Button
                    disabled={locked !== null || version.is_current}
                    onClick={() => {
                      setRestoring(version);
                    }}
                    size="xs"
                    variant="outline"
                  >
                    Restore
                  </Button>
                </HStack>
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
      {open !== null && <Changes path={path} to={open} versions={data.versions} />}
      {restoring !== null && (
        <Restore
          onClose={() => {
            setRestoring(null);
          }}
          onSaved={onSaved}
          version={restoring}
        />
      )}
    </Stack>
  );
};

const Changes = ({ path, versions, to }: { path: string; versions: Version[]; to: number }) => {
  const at = versions.findIndex(({ id }) => id === to);
  const before = versions[at + 1];
  const asked = before === undefined ? null : `${path}/diff?from=${before.id}&to=${to}`;
  const { data, error, reload } = useApi<{ files: FileDiff[] }>(asked);
  if (error !== undefined)
    return <ErrorNote error={error} retry={reload} title="The changes can't be read" />;
  return data === undefined ? <Loading lines={3} /> : <FileDiffs files={data.files} />;
};

interface Restored {
  version: Version;
  onClose: () => void;
  onSaved: (saved: Saved) => void;
}

const Restore = ({ version, onClose, onSaved }: Restored) => {
  const { flow, unsaved, heading } = useFlowEditor();
  const restored = useRef(false);
  const path = `flows/${encodeURIComponent(flow.id)}`;
  const { data } = useApi<{ files: FileDiff[] }>(`${path}/history/diff?from=${version.id}`);
  return (
    <Confirm
      action="Restore"
      focusAfter={() => (restored.current ? heading.current : null)} // the list is read anew, and its buttons go
      onClose={onClose}
      onConfirm={async () => {
        const note = `Restored the version of ${version.at.slice(0, 16).replace("T", " ")}`;
        const json = { version: version.id, base: flow.revision, note };
        onSaved(await api<Saved>(`${path}/restore`, { method: "POST", json }));
        restored.current = true;
      }}
      open
      title="Restore this version?"
    >
      <Text>
        The folder becomes what it was then, as a new version; today&apos;s stays in the history. Runs that
        have begun keep theirs.
      </Text>
      {unsaved.length > 0 && <Text color="orange.fg">What you have not saved is thrown away.</Text>}
      <Text color="fg.muted" fontSize="sm">
        What has changed since then (and is taken back):
      </Text>
      {data === undefined ? <Loading lines={2} /> : <FileDiffs files={data.files} />}
    </Confirm>
  );
};
