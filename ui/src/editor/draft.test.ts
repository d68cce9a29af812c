import { expect, test } from "vitest";

import type { Draft, JsonObject, Problem } from "../types";
import { CARDS, changedCards, problemsOf } from "./cards";
import {
  type Base,
  changedFiles,
  onlySchedule,
  onTop,
  same,
  scheduleCall,
  valueAt,
  withValue,
} from "./draft";

const document: JsonObject = { script: { file: "script.py" }, write_to_erp: { url: "/a" } };
const base: Base = { revision: "1", files: { "flow.yaml": "text", "script.py": "x" }, document };
const draft = (edited: JsonObject | null, files = {}): Draft => ({
  files: { ...base.files, ...files },
  document: edited,
});
const problem = (path: string, file: string | null = null): Problem => ({
  path,
  message: "no",
  file,
  line: null,
});

test("a value is put in at a path, and blocks on the way are made", () => {
  const changed = withValue(document, "write_to_erp.look_up.url", "/b");
  expect(valueAt(changed, "write_to_erp.look_up.url")).toBe("/b");
  expect(valueAt(changed, "write_to_erp.url")).toBe("/a");
  expect(document).toEqual({ script: { file: "script.py" }, write_to_erp: { url: "/a" } });
});

test("a value that is taken away leaves no key", () => {
  expect(withValue(document, "script", undefined)).toEqual({ write_to_erp: { url: "/a" } });
});

test.each([
  [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[1, 2], [2, 1], false],
  [null, {}, false],
])("%j and %j are the same: %s", (one, other, verdict) => {
  expect(same(one as JsonObject, other as JsonObject)).toBe(verdict);
});

test("what was changed and changed back is no change", () => {
  const there = withValue(document, "write_to_erp.url", "/b");
  expect(changedFiles(base, draft(there))).toEqual(["flow.yaml"]);
  expect(changedFiles(base, draft(withValue(there, "write_to_erp.url", "/a")))).toEqual([]);
});

test("new, changed and removed files are changes", () => {
  const files = { "flow.yaml": "text", "cases/a.yaml": "new" };
  expect(changedFiles(base, { files, document: null })).toEqual(["cases/a.yaml", "script.py"]);
});

test("the card of a changed script is marked, and no other", () => {
  expect([...changedCards(base, draft(null, { "script.py": "y" }), document)]).toEqual(["script"]);
});

test("only a schedule is only a schedule", () => {
  const scheduled = withValue(document, "schedule", { every: "5m" });
  expect(onlySchedule(base, draft(scheduled))).toBe(true);
  expect(onlySchedule(base, draft(scheduled, { "script.py": "y" }))).toBe(false);
  expect(onlySchedule(base, draft(withValue(scheduled, "title", "A")))).toBe(false);
  expect(onlySchedule(base, draft(null, { "flow.yaml": "other" }))).toBe(false);
});

test("a flow without schedule is called none", () => {
  expect(scheduleCall(document)).toEqual({ none: true });
  expect(scheduleCall({ schedule: { cron: "0 3 * * *", timezone: "UTC" } })).toEqual({
    cron: "0 3 * * *",
    timezone: "UTC",
  });
});

test("mine on top keeps their files, except where I changed the same one", () => {
  const theirs = { "flow.yaml": "theirs", "script.py": "theirs", "post.py": "theirs" };
  const mine = draft(withValue(document, "title", "Mine"), { "mapping.json": "[]" });
  expect(onTop(base, mine, theirs)).toEqual({
    files: { "flow.yaml": "text", "script.py": "theirs", "post.py": "theirs", "mapping.json": "[]" },
    document: { ...document, title: "Mine" },
  });
});

test("each problem stands in exactly one card", () => {
  const problems = [
    problem("write_to_erp.look_up.url"),
    problem("script.file", "script.py"),
    problem("tags[0]"),
    problem("cases/a.yaml: step"),
    problem("nonsense"),
    problem(""),
  ];
  const shown = CARDS.flatMap((card) => problemsOf(card, problems).map(({ path }) => [card.id, path]));
  expect(shown).toEqual([
    ["script", "script.file"],
    ["write_to_erp", "write_to_erp.look_up.url"],
    ["about", "tags[0]"],
    ["cases", "cases/a.yaml: step"],
    ["raw", "nonsense"],
    ["raw", ""],
  ]);
});
