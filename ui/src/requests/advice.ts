/** What a state asks of the reader. */
import type { Life, RequestRow, RequestState } from "./types";

/** States in which a run is on a request or the next one goes on by itself: worth looking at again soon. */
export const UNDER_WAY: RequestState[] = [
  "fetched",
  "prepared",
  "sending",
  "answered",
  "accepted",
  "refused",
  "written_back",
];

const ADVICE: Record<RequestState, string> = {
  fetched: "Nothing to do: the run goes on with it.",
  prepared: "Nothing to do: the run goes on with it.",
  sending: "Wait for the run's end. If the worker died meanwhile, the next run finds out.",
  answered:
    "If it stays here, the response script failed or set no relation. Repair it: the stored answer is then judged, and nothing is sent.",
  accepted: "Nothing to do: the next step tells Omnitron. If Omnitron can't be reached, the next run does.",
  refused: "Nothing to do: the run tells Omnitron, where the flow says so.",
  postponed: "Nothing to do: the ERP wants it later, and each run asks again.",
  written_back:
    "If it stays here, the post script failed. Repair it: the next run goes on with that step alone.",
  done: "Nothing to do.",
  failed:
    "Repair the cause: the flow, the connection or what the ERP complains about. It is tried again by itself after a pause; redo has the next run do it at once.",
  in_doubt:
    "Look into the ERP whether it is booked, and say so below. If the flow declares a look-up or a key, the next run settles it without you.",
  parked:
    "It will not move by itself. Look into the ERP whether it is booked, then decide below, or redo it.",
  withdrawn: "Nothing to do: Omnitron no longer asks for it.",
};

const FAILED_BY_HAND =
  "Repair the cause: the flow, the connection or what the ERP complains about. Nothing starts a run by itself: start one to have it tried again; redo has that run do it whatever its pause.";

const UNDECIDED =
  "Look into the ERP whether the earlier call is booked, and say so below: the next try sends it again.";

/** What to do now. */
export const adviceFor = ({
  state,
  by_hand,
  actions,
}: Pick<RequestRow, "state" | "by_hand"> & Partial<Pick<Life, "actions">>) => {
  const decidable = (actions?.accepted ?? null) !== null;
  if (decidable && state !== "in_doubt" && state !== "parked") return UNDECIDED;
  return state === "failed" && by_hand ? FAILED_BY_HAND : ADVICE[state];
};

/** When it is tried again, in words and the earliest time, which is left out once it is past; null: it is not. */
export function nextTry(
  { next_at, by_hand }: Pick<RequestRow, "next_at" | "by_hand">,
  now: number,
): { words: string; at: string | null } | null {
  if (next_at === null) return null;
  const at = Date.parse(next_at) > now ? next_at : null;
  if (by_hand) return { words: "when somebody starts a run", at };
  return { words: at === null ? "at the next run" : "", at };
}

/** Whether any of these states is one that changes by itself soon. */
export const isUnderWay = (states: Iterable<RequestState>) =>
  [...states].some((state) => UNDER_WAY.includes(state));
