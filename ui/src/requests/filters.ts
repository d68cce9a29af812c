/** What the list shows, as it stands in the page's address: a link can be shared, and "back" undoes a choice. */
import { clockAt, whenShown } from "../shared/timeZone";
import { REQUEST_STATES, type RequestState } from "./types";

/** Windows that go with the clock, in hours. */
export const WINDOWS = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 } as const;
export type Window = keyof typeof WINDOWS;

export interface Filters {
  flow: string | null;
  states: RequestState[];
  text: string;
  /** The last so many hours; wins over `from` and `to`. */
  last: Window | null;
  from: string | null;
  to: string | null;
  /** The cursor of a later page; null: the newest changes. */
  after: string | null;
}

/** Where the list stands: in a run's tab it is bound to that run. */
export interface Place {
  dagId?: string;
  runId?: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NAMES = ["flow", "state", "text", "last", "from", "to", "after"];

/** Read the filters; what an address holds and we do not know is passed over. */
export function readFilters(params: URLSearchParams): Filters {
  const last = params.get("last");
  return {
    flow: params.get("flow"),
    states: REQUEST_STATES.filter((state) => params.getAll("state").includes(state)),
    text: params.get("text") ?? "",
    last: last !== null && last in WINDOWS ? (last as Window) : null,
    from: time(params.get("from")),
    to: time(params.get("to")),
    after: params.get("after"),
  };
}

/** The address with some filters changed. Another choice begins at its newest change. */
export function withFilters(params: URLSearchParams, change: Partial<Filters>): URLSearchParams {
  const filters = { ...readFilters(params), after: null, ...change };
  const written = new URLSearchParams(params);
  for (const name of NAMES) written.delete(name);
  const { states, ...single } = filters;
  for (const [name, value] of Object.entries(single))
    if (value !== null && value !== "") written.set(name, value);
  for (const state of states) written.append("state", state);
  return written;
}

/** Whether anything but the page is chosen. */
export const isFiltered = ({ flow, states, text, last, from, to }: Filters) =>
  states.length > 0 || [flow, text, last, from, to].some((value) => value !== null && value !== "");

/** Whether the plot shows what the list does: it can be narrowed to a flow and to a window, and to nothing else. */
export const isPlotted = ({ states, text, from, to }: Filters) =>
  states.length === 0 && text.trim() === "" && from === null && to === null;

/** The API's path of the list. Its window is cut to whole minutes, so that it stays the same meanwhile. */
export function listPath(filters: Filters, place: Place, now: number): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | null | undefined) => {
    if (value !== null && value !== undefined && value !== "") query.append(name, value);
  };
  put("flow", place.dagId ?? filters.flow);
  put("run_id", place.runId);
  for (const state of filters.states) put("state", state);
  const [from, to] = span(filters, now);
  put("from", from);
  put("to", to);
  put("text", filters.text.trim());
  put("after", filters.after);
  const text = query.toString();
  return text === "" ? "requests" : `requests?${text}`;
}

/** The API's path of the outcomes that the plot shows: the chosen window, else a day. */
export function outcomesPath(filters: Filters, place: Place): string {
  const query = new URLSearchParams();
  const flow = place.dagId ?? filters.flow;
  if (flow !== null) query.set("flow", flow);
  if (place.runId !== undefined) query.set("run_id", place.runId);
  query.set("hours", String(WINDOWS[filters.last ?? "24h"]));
  return `requests/outcomes?${query.toString()}`;
}

/** What tells two choices apart; the passing of time does not. */
export const choiceOf = (filters: Filters, place: Place) => JSON.stringify([filters, place]);

function span({ last, from, to }: Filters, now: number): [string | null, string | null] {
  if (last === null) return [from, to];
  const begin = Math.floor(now / MINUTE) * MINUTE - WINDOWS[last] * HOUR;
  return [new Date(begin).toISOString(), null];
}

function time(text: string | null): string | null {
  return text === null || Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString();
}

/** A time as a `datetime-local` field has it, in a zone. */
export function toField(iso: string | null, zone: string): string {
  if (iso === null) return "";
  const { date, time: clock } = clockAt(new Date(iso), zone);
  return `${date}T${clock}`;
}

/** What a `datetime-local` field says in a zone, in UTC. */
export function fromField(text: string, zone: string): string | null {
  return Number.isNaN(Date.parse(`${text}Z`)) ? null : whenShown(text, zone).toISOString();
}
