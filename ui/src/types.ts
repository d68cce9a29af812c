/** What the API answers and takes. The names are the server's; times are ISO 8601 texts in UTC. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

/** Something that is wrong, at a path of flow.yaml ("write_to_erp.method") and, where known, a line of a file. */
export interface Problem {
  path: string;
  message: string;
  file: string | null;
  line: number | null;
}

export interface Rights {
  see: boolean;
  test: boolean;
  edit: boolean;
  redo: boolean;
  reveal: boolean;
}

/** A flow folder while it is being edited; a document that is not null wins over the text of flow.yaml. */
export interface Draft {
  files: Record<string, string>;
  document: JsonObject | null;
}

export interface LostAnswer {
  sentence: string;
  safe: boolean;
}

export interface ScheduleWords {
  words: string;
  next: string[];
  timezone: string;
}

export interface Checked {
  flow_yaml: string;
  document: JsonObject | null;
  effective: JsonObject | null;
  problems: Problem[];
  query: string | null;
  lost_answer: LostAnswer | null;
  schedule: ScheduleWords | null;
}

export interface CaseResult {
  case: string;
  step: string;
  passed: boolean;
  failures: string[];
}

export interface Version {
  id: number;
  revision: string;
  at: string;
  author: string;
  note: string;
  is_current: boolean;
}

export interface FileDiff {
  name: string;
  before: string | null;
  after: string | null;
  diff: string;
}

/** What one step made of an input. */
export interface Attempted {
  result_data: Json;
  attributes: Record<string, string>;
  printed: string;
  log: [string, string][];
  error: string | null;
  took_ms: number;
  explain: Explained | null;
}

/** How a mapping came to its result. */
export interface Explained {
  operations?: Json;
  fields?: Json;
  unmatched?: Json;
}

export interface Tried extends Attempted {
  live: Attempted | null;
  diff: string | null;
}

export interface ChainStep extends Attempted {
  step: string;
  input: string;
  skipped: string | null;
}

export interface Call {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Json;
}

export interface Chain {
  steps: ChainStep[];
  call: Call | null;
  write_back: { outcome: string; calls: JsonObject[] } | null;
  /** Why the call can't be built, or why Omnitron can't be told. */
  error: string | null;
}

export interface Me {
  name: string;
  can_create: boolean;
  can_reveal: boolean;
}

export type FlowState = "live" | "paused" | "disabled" | "broken" | "new";

export interface LastRun {
  run_id: string;
  state: string;
  at: string;
}

export interface FlowRow {
  id: string;
  title: string;
  description: string;
  owner: string | null;
  tags: string[];
  state: FlowState;
  enabled: boolean;
  problems: Problem[];
  schedule: string;
  next_run: string | null;
  last_run: LastRun | null;
  counts: { done: number; failed: number; in_doubt: number; parked: number };
  rights: Rights;
}

export interface Template {
  name: string;
  title: string;
  description: string;
}

export interface FlowList {
  flows: FlowRow[];
  writable: boolean;
  why_not: string | null;
  templates: Template[];
  can_create: boolean;
}

export interface AirflowState {
  known: boolean;
  paused: boolean | null;
  next_run: string | null;
  last_run: LastRun | null;
  parsed_at: string | null;
}

export interface ErpAnswer {
  status: number;
  body: string;
}

export interface Flow {
  id: string;
  revision: string;
  draft: Draft;
  other_files: string[];
  checked: Checked;
  writable: boolean;
  why_not: string | null;
  rights: Rights;
  airflow: AirflowState;
  steps: string[];
  /** What the ERP answered in a saved case, if any tells it. */
  answer: ErpAnswer | null;
}

export interface Saved {
  revision: string;
  saved_at: string;
  cases: CaseResult[];
}

export interface Live {
  live: boolean;
  parsed_at: string | null;
  broken: string[];
}

export interface NewFlow {
  id: string;
  template?: string;
  copy_of?: string;
  archive?: string;
  title?: string;
  note?: string;
}
