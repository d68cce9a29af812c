import { Alert, Checkbox, List, RadioGroup, Stack, Text } from "@chakra-ui/react";
import { useMemo } from "react";

import type { FlowList, Json } from "../../types";
import { useApi } from "../../useApi";
import { isObject, problemsAt, valueAt } from "../draft";
import { Row, TextField, Wrong } from "../fields";
import { useFlowEditor } from "../useEditor";

type Kind = "every" | "cron" | "after" | "none";

const KINDS: readonly [Kind, string][] = [
  ["every", "Repeat Every"],
  ["cron", "Cron"],
  ["after", "Triggered By"],
  ["none", "Only by hand"],
];

const BEGINNINGS: Record<Kind, Record<string, Json> | undefined> = {
  every: { every: "5m" },
  cron: { cron: "0 * * * *" },
  after: { after: [] },
  none: undefined,
};

export const ScheduleCard = () => {
  const { document, problems, locked, set } = useFlowEditor();
  const schedule = document?.schedule;
  const kind = isObject(schedule) ? (KINDS.find(([key]) => key in schedule)?.[0] ?? "none") : "none";
  const choose = (next: Kind) => {
    const timezone = valueAt(document, "schedule.timezone");
    const begun = BEGINNINGS[next];
    set("schedule", begun === undefined || timezone === undefined ? begun : { ...begun, timezone });
  };
  return (
    <Stack gap={4}>
      <RadioGroup.Root
        aria-label="When the flow runs"
        disabled={locked !== null}
        onValueChange={({ value }) => {
          choose(value as Kind);
        }}
        value={kind}
      >
        <Stack direction="row" flexWrap="wrap" gap={4}>
          {KINDS.map(([key, label]) => (
            <RadioGroup.Item key={key} value={key}>
              <RadioGroup.ItemHiddenInput />
              <RadioGroup.ItemIndicator />
              <RadioGroup.ItemText>{label}</RadioGroup.ItemText>
            </RadioGroup.Item>
          ))}
        </Stack>
      </RadioGroup.Root>
      <Wrong problems={problemsAt(problems, "schedule").filter(({ path }) => path === "schedule")} />
      {(kind === "every" || kind === "cron") && (
        <Row>
          {kind === "every" && (
            <TextField help="30s, 5m, 6h, 1d" label="Repeat Every" path="schedule.every" required />
          )}
          {kind === "cron" && (
            <TextField
              help="Minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly."
              label="Cron"
              path="schedule.cron"
              required
            />
          )}
          <TimeZone />
        </Row>
      )}
      {kind === "after" && <After />}
      {kind === "none" && (
        <Text color="fg.muted" fontSize="sm">
          The flow runs when somebody starts it: Run now above, Airflow&apos;s page, or a call.
        </Text>
      )}
      <Words />
    </Stack>
  );
};

const TimeZone = () => {
  const zones = useMemo(() => ["UTC", ...Intl.supportedValuesOf("timeZone")], []);
  return (
    <TextField
      help="Empty: UTC."
      label="Time zone"
      options={zones}
      path="schedule.timezone"
      placeholder="UTC"
    />
  );
};

/** The schedule in words, and when it will run. */
const Words = () => {
  const { checked, document } = useFlowEditor();
  const schedule = checked.schedule;
  if (schedule === null || !isObject(document?.schedule)) return null;
  return (
    <Alert.Root aria-live="polite" status="info" variant="surface">
      <Alert.Indicator />
      <Alert.Content>
        <Alert.Title>{schedule.words}</Alert.Title>
        {schedule.next.length > 0 && (
          <Alert.Description>
            Next, in {schedule.timezone}:
            <List.Root listStyle="none">
              {schedule.next.map((at) => (
                <List.Item fontVariantNumeric="tabular-nums" key={at}>
                  {wallClock(at)}
                </List.Item>
              ))}
            </List.Root>
          </Alert.Description>
        )}
      </Alert.Content>
    </Alert.Root>
  );
};

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** "Tue 2026-03-24 19:45 +03:00": the flow's own clock, wherever the reader is. */
export function wallClock(at: string): string {
  const [, day = "", time = "", offset = ""] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[^+Z-]*(.*)$/.exec(at) ?? [];
  const weekday = DAYS[new Date(`${day}T12:00:00Z`).getUTCDay()] ?? "";
  return day === "" ? at : `${weekday} ${day} ${time} ${offset === "Z" ? "+00:00" : offset}`;
}

const After = () => {
  const { flow, document, problems, locked, set } = useFlowEditor();
  const { data } = useApi<FlowList>("flows");
  const value = valueAt(document, "schedule.after");
  const chosen = Array.isArray(value) ? value.filter((id) => typeof id === "string") : [];
  const known = (data?.flows ?? []).map(({ id }) => id).filter((id) => id !== flow.id);
  const all = [...new Set([...known, ...chosen])].sort();
  return (
    <Stack gap={2}>
      <Text fontSize="sm">Runs when the runs of all these flows have ended well:</Text>
      {all.map((id) => (
        <Checkbox.Root
          checked={chosen.includes(id)}
          disabled={locked !== null}
          key={id}
          onCheckedChange={({ checked }) => {
            set(
              "schedule.after",
              checked === true ? [...chosen, id] : chosen.filter((other) => other !== id),
            );
          }}
        >
          <Checkbox.HiddenInput />
          <Checkbox.Control />
          <Checkbox.Label>{id}</Checkbox.Label>
        </Checkbox.Root>
      ))}
      {data !== undefined && all.length === 0 && <Text color="fg.muted">There is no other flow yet.</Text>}
      <Wrong problems={problemsAt(problems, "schedule.after")} />
    </Stack>
  );
};
