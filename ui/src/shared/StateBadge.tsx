import { Badge } from "@chakra-ui/react";

/** Airflow's own colours of states where one fits; else a neutral one. */
const PALETTES: Record<string, string> = {
  // requests
  fetched: "queued",
  prepared: "queued",
  sending: "running",
  answered: "running",
  accepted: "running",
  written_back: "running",
  refused: "failed",
  postponed: "up_for_reschedule",
  done: "success",
  failed: "failed",
  in_doubt: "up_for_retry",
  parked: "deferred",
  withdrawn: "removed",
  // flows
  live: "success",
  paused: "up_for_reschedule",
  disabled: "removed",
  broken: "failed",
  new: "queued",
  // runs
  success: "success",
  running: "running",
  queued: "queued",
};

export const paletteOf = (state: string) => PALETTES[state] ?? "gray";

/** "in_doubt" as people say it. */
export const wordsOf = (state: string) => state.replaceAll("_", " ");

export const StateBadge = ({ state }: { state: string }) => (
  <Badge colorPalette={paletteOf(state)} variant="subtle" whiteSpace="nowrap">
    {wordsOf(state)}
  </Badge>
);
