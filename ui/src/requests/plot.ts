/** The bars of the plot: how many requests came to which end, over time. */
import { wordsOf } from "../shared/StateBadge";
import { clockAt } from "../shared/timeZone";
import type { Outcomes, OutcomeState } from "./types";

/** From the bottom up: what is well, what waits, what needs somebody. */
export const OUTCOMES: OutcomeState[] = ["done", "postponed", "parked", "in_doubt", "failed"];

export interface Part {
  state: OutcomeState;
  count: number;
  y: number;
  height: number;
}

export interface Bar {
  at: Date;
  end: Date;
  total: number;
  counts: Record<OutcomeState, number>;
  parts: Part[];
}

/** What can still be seen of a single failure beside a thousand that went well. */
const LEAST = 3;

/**
 * Stack each bucket's counts.
 *
 * @param outcomes what the server counted
 * @param height of the whole plot, in its own units; y counts from the top
 */
export function stack({ buckets, bucket_s }: Outcomes, height: number): { bars: Bar[]; top: number } {
  const totals = buckets.map(({ counts }) => OUTCOMES.reduce((seen, state) => seen + counts[state], 0));
  const top = Math.max(1, ...totals);
  const bars = buckets.map(({ at, counts }, index) => {
    const begin = new Date(at);
    const end = new Date(begin.getTime() + bucket_s * 1000);
    return { at: begin, end, counts, total: totals[index] ?? 0, parts: parts(counts, top, height) };
  });
  return { bars, top };
}

function parts(counts: Record<OutcomeState, number>, top: number, height: number): Part[] {
  const found = OUTCOMES.filter((state) => counts[state] > 0).map((state) => {
    const count = counts[state];
    return { state, count, y: 0, height: Math.max(LEAST, (count / top) * height) };
  });
  const over = found.reduce((total, part) => total + part.height, 0) - height;
  const [largest] = [...found].sort((one, other) => other.height - one.height);
  if (largest !== undefined && over > 0) largest.height -= over; // it gives what the least ones took
  let y = height;
  for (const part of found) part.y = y -= part.height;
  return found;
}

/** "3 done, 1 failed", or "nothing". */
export function countsInWords(counts: Partial<Record<OutcomeState, number>>): string {
  const said = OUTCOMES.filter((state) => (counts[state] ?? 0) > 0).map(
    (state) => `${counts[state] ?? 0} ${wordsOf(state)}`,
  );
  return said.length === 0 ? "nothing" : said.join(", ");
}

/** All buckets together. */
export function sum({ buckets }: Outcomes): Record<OutcomeState, number> {
  const all = { done: 0, failed: 0, in_doubt: 0, parked: 0, postponed: 0 };
  for (const { counts } of buckets) for (const state of OUTCOMES) all[state] += counts[state];
  return all;
}

const DAY_S = 86_400;

/** What a time's words depend on: how much is shown, up to when, and where. */
export interface Shown {
  span_s: number;
  now: Date;
  zone: string;
}

/** The time that the plot shows, in words; it begins with a whole bucket, so it is a little longer than asked for. */
export function windowInWords(span_s: number): string {
  const hours = Math.round(span_s / 3600);
  if (hours === 1) return "last hour";
  return hours > 48 ? `last ${Math.floor(hours / 24)} days` : `last ${hours} hours`;
}

/** A bucket's time on a clock in a zone: with the day where the plot shows several, else with "yesterday". */
export function tick(at: Date, { span_s, zone, now }: Shown): string {
  const { date, time } = clockAt(at, zone);
  const day = date.slice("2026-".length);
  if (span_s > 8 * DAY_S) return day;
  if (span_s > 1.5 * DAY_S) return `${day} ${time}`;
  return date === clockAt(now, zone).date ? time : `yesterday ${time}`;
}
