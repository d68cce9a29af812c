/** A request's life by attempts, each moment with the bodies that came of it. */
import type { Moment, Payload } from "./types";

export interface Step extends Moment {
  payloads: Payload[];
}

export interface Attempt {
  number: number | null;
  runs: string[];
  revisions: string[];
  from: string;
  to: string;
  steps: Step[];
}

/** Where a kind of body came to be, and what its number counts. */
const HOME: Record<string, { card: string; counts: "attempt" | "send" }> = {
  request: { card: "Fetched", counts: "attempt" },
  script: { card: "Script", counts: "attempt" },
  attributes: { card: "Script", counts: "attempt" },
  mapping: { card: "Mapping", counts: "attempt" },
  sent: { card: "Sent", counts: "send" },
  answer: { card: "Answered", counts: "send" },
};

/**
 * Cut a timeline into attempts.
 *
 * @returns the attempts, oldest first, and the bodies that no moment claims
 */
export function byAttempt(timeline: Moment[], payloads: Payload[]): { attempts: Attempt[]; rest: Payload[] } {
  const steps: Step[] = timeline.map((moment) => ({ ...moment, payloads: [] }));
  const rest = payloads.filter((payload) => {
    const home = steps.find((step) => belongs(payload, step));
    home?.payloads.push(payload);
    return home === undefined;
  });
  const attempts: Attempt[] = [];
  for (const step of steps) {
    const last = attempts.at(-1);
    if (last === undefined || (step.attempt !== null && step.attempt !== last.number))
      attempts.push(begin(step));
    else add(last, step);
  }
  return { attempts, rest };
}

function belongs({ kind, number }: Payload, step: Step): boolean {
  const home = HOME[kind];
  return home !== undefined && home.card === step.card && step[home.counts] === number;
}

const begin = (step: Step): Attempt => ({
  number: step.attempt,
  runs: step.run_id === null ? [] : [step.run_id],
  revisions: step.revision === null ? [] : [step.revision],
  from: step.at,
  to: step.at,
  steps: [step],
});

function add(attempt: Attempt, step: Step) {
  if (step.run_id !== null && !attempt.runs.includes(step.run_id)) attempt.runs.push(step.run_id);
  if (step.revision !== null && !attempt.revisions.includes(step.revision))
    attempt.revisions.push(step.revision);
  if (step.step !== "") attempt.to = step.at; // a person may act weeks later
  attempt.steps.push(step);
}

/** "1.2 s", "340 ms", "2 min 5 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
