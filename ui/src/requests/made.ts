/** Made-up rows, moments and lives, of which a test names only what matters. */
import type { Life, Moment, RequestRow } from "./types";

export const aRow = (more: Partial<RequestRow> = {}): RequestRow => ({
  flow: "acme",
  uuid: "0f8c2a11-0000-4000-8000-000000000001",
  id: 4701,
  order_number: "1000123",
  sku: "SKU-1",
  channel: "1",
  state: "failed",
  attempts: 1,
  sends: 1,
  erp_status: 422,
  relation: "failure",
  error: "the ERP answered 422",
  run_id: "manual__1",
  first_seen: "2026-03-24T10:00:00Z",
  last_changed: "2026-03-24T10:01:00Z",
  next_at: null,
  by_hand: false,
  redo: false,
  ...more,
});

export const aMoment = (more: Partial<Moment> = {}): Moment => ({
  at: "2026-03-24T10:00:00Z",
  card: "Fetched",
  step: "get_data",
  state: "fetched",
  attempt: 1,
  send: 0,
  revision: "r1",
  duration_ms: null,
  note: null,
  run_id: "manual__1",
  log_url: null,
  ...more,
});

const RIGHTS = { see: true, test: true, edit: true, redo: true, reveal: true };

export const aLife = (more: Partial<Life> = {}): Life => ({
  ...aRow(),
  story: ["It has failed.", "It was sent to the ERP once, and no call booked anything."],
  idempotency_key: "acme-1",
  next_key: null,
  timeline: [aMoment()],
  payloads: [],
  erased: false,
  rights: RIGHTS,
  actions: {
    redo: { allowed: true, consequence: "The ERP is asked to book it again under a new key.", twice: false },
    accepted: null,
    refused: null,
  },
  ...more,
});
