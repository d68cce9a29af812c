import type { Json, Rights } from "../types";

/** The states that a request can be in, in the order of its way. */
export const REQUEST_STATES = [
  "fetched",
  "prepared",
  "sending",
  "answered",
  "accepted",
  "refused",
  "postponed",
  "written_back",
  "done",
  "failed",
  "in_doubt",
  "parked",
  "withdrawn",
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

export interface RequestRow {
  flow: string;
  uuid: string;
  id: number | null;
  order_number: string | null;
  sku: string | null;
  channel: string | null;
  state: RequestState;
  attempts: number;
  sends: number;
  erp_status: number | null;
  relation: string | null;
  error: string | null;
  run_id: string | null;
  first_seen: string;
  last_changed: string;
  next_at: string | null;
  /** It is tried again, and nothing starts a run by itself. */
  by_hand: boolean;
  redo: boolean;
}

export interface RequestList {
  requests: RequestRow[];
  next: string | null;
  counts: Partial<Record<RequestState, number>>;
}

export type OutcomeState = "done" | "failed" | "in_doubt" | "parked" | "postponed";

export interface Outcomes {
  from: string;
  to: string;
  bucket_s: number;
  buckets: { at: string; counts: Record<OutcomeState, number> }[];
}

/** Kinds: request, script, mapping, attributes, sent, answer. */
export interface Payload {
  kind: string;
  number: number;
  data: Json;
}

export interface Moment {
  at: string;
  card: string;
  step: string;
  state: RequestState | null;
  attempt: number | null;
  send: number | null;
  revision: string | null;
  duration_ms: number | null;
  note: string | null;
  run_id: string | null;
  log_url: string | null;
}

export interface Action {
  allowed: boolean;
  consequence: string;
  /** Whether the money can move twice by it. */
  twice: boolean;
}

export interface Life extends RequestRow {
  story: string[];
  /** Of the last call; null: it had none, or is no longer kept. */
  idempotency_key: string | null;
  /** Of the next call, where it is another. */
  next_key: string | null;
  timeline: Moment[];
  payloads: Payload[];
  erased: boolean;
  rights: Rights;
  actions: { redo: Action | null; accepted: Action | null; refused: Action | null };
}

export interface Redone {
  results: { uuid: string; ok: boolean; message: string }[];
}
