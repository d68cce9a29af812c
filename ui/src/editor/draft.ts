/** A flow while it is edited: what changed against the saved one, and whose card that is. Nothing here draws. */
import type { Checked, Draft, Json, JsonObject, Problem } from "../types";

export const FLOW_FILE = "flow.yaml";

/** What was saved, and what the server found about it. */
export interface Base {
  revision: string;
  files: Record<string, string>;
  document: JsonObject | null;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path such as "write_to_erp.look_up.url". */
export function valueAt(document: JsonObject | null | undefined, path: string): Json | undefined {
  let value: Json | undefined = document ?? undefined;
  for (const key of path.split(".")) value = isObject(value) ? value[key] : undefined;
  return value;
}

/** A copy with another value at a path; undefined takes the key away. Blocks on the way are made. */
export function withValue(document: JsonObject, path: string, value: Json | undefined): JsonObject {
  const [key = "", ...rest] = path.split(".");
  if (rest.length > 0) {
    const inner = document[key];
    return { ...document, [key]: withValue(isObject(inner) ? inner : {}, rest.join("."), value) };
  }
  const copy = { ...document };
  if (value === undefined) Reflect.deleteProperty(copy, key);
  else copy[key] = value;
  return copy;
}

/** Equal as documents: the order of keys says nothing. */
export function same(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => same(one[key], other[key]));
}

/** The names of files that differ, flow.yaml among them. */
export function changedFiles(base: Base, draft: Draft): string[] {
  const names = new Set([...Object.keys(base.files), ...Object.keys(draft.files)]);
  names.delete(FLOW_FILE);
  const changed = [...names].filter((name) => base.files[name] !== draft.files[name]).sort();
  return flowFileChanged(base, draft) ? [FLOW_FILE, ...changed] : changed;
}

function flowFileChanged(base: Base, draft: Draft): boolean {
  if (draft.files[FLOW_FILE] !== base.files[FLOW_FILE]) return true;
  return draft.document !== null && !same(draft.document, base.document ?? undefined);
}

/** The keys of the document, on its top level, that differ. */
export function changedKeys(base: JsonObject | null, document: JsonObject | null): string[] {
  const keys = new Set([...Object.keys(base ?? {}), ...Object.keys(document ?? {})]);
  return [...keys].filter((key) => !same(base?.[key], document?.[key]));
}

/** Only the schedule differs: it can be saved by itself, and no other line is touched. */
export function onlySchedule(base: Base, draft: Draft): boolean {
  const keys = draft.document === null ? [] : changedKeys(base.document, draft.document);
  return (
    changedFiles(base, draft).join() === FLOW_FILE &&
    draft.files[FLOW_FILE] === base.files[FLOW_FILE] &&
    keys.join() === "schedule"
  );
}

/** What the schedule's own route takes for a document's schedule. */
export function scheduleCall(document: JsonObject | null): JsonObject {
  const schedule = document?.schedule;
  if (!isObject(schedule)) return { none: true };
  return Object.fromEntries(
    ["every", "cron", "after", "timezone"].flatMap((key) => {
      const value = schedule[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** The problems at a path and below it. */
export const problemsAt = (problems: readonly Problem[], path: string) =>
  problems.filter((problem) => isBelow(problem.path, path));

const isBelow = (path: string, top: string) =>
  path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`);

/** The document as it stands now: what was edited last, else what flow.yaml's text says. */
export const documentOf = (draft: Draft, checked: Checked): JsonObject | null =>
  draft.document ?? checked.document;

/**
 * Mine on top of what somebody else saved meanwhile: their files, except where I changed the same one.
 *
 * @param theirs the folder as it is now
 */
export function onTop(base: Base, mine: Draft, theirs: Record<string, string>): Draft {
  const changed = new Set(changedFiles(base, mine));
  const files: Record<string, string> = {};
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine.files)])) {
    const text = changed.has(name) ? mine.files[name] : theirs[name];
    if (text !== undefined) files[name] = text;
  }
  return { files, document: changed.has(FLOW_FILE) ? mine.document : null };
}
