import { expect, test } from "vitest";

import type { RequestRow } from "./types";
import { aRow } from "./made";
import { settle } from "./settle";

const at = (uuid: string, second: number, more: Partial<RequestRow> = {}) =>
  aRow({ uuid, last_changed: `2026-03-24T12:00:${String(second).padStart(2, "0")}Z`, ...more });
const answer = (requests: RequestRow[], next: string | null = null) => ({ requests, next, counts: {} });
const names = (rows: RequestRow[]) => rows.map(({ uuid }) => uuid).join("");

test("the first answer is taken as it comes", () => {
  expect(settle([], answer([at("b", 2), at("a", 1)]))).toMatchObject({
    waiting: 0,
    rows: [{ uuid: "b" }, { uuid: "a" }],
  });
});

test("a row that changed stays where it is and shows its new state", () => {
  const { rows, waiting } = settle(
    [at("b", 2), at("a", 1, { state: "failed" })],
    answer([at("a", 9, { state: "done" }), at("b", 2)]),
  );
  expect(names(rows)).toBe("ba");
  expect(rows[1]?.state).toBe("done");
  expect(waiting).toBe(0);
});

test("a newer one waits until the reader asks", () => {
  const { rows, waiting } = settle([at("a", 1)], answer([at("b", 2), at("a", 1)]));
  expect(names(rows)).toBe("a");
  expect(waiting).toBe(1);
});

test("an older one comes at the end", () => {
  expect(names(settle([at("b", 2)], answer([at("b", 2), at("a", 1)])).rows)).toBe("ba");
});

test("a row that newer ones pushed off the page stays", () => {
  expect(names(settle([at("b", 2), at("a", 1)], answer([at("c", 3), at("b", 2)], "more")).rows)).toBe("ba");
});

test("a row that the filter no longer means goes", () => {
  expect(names(settle([at("b", 2), at("a", 1)], answer([at("a", 1)])).rows)).toBe("a");
});

test("two flows may have a request of one uuid", () => {
  const rows = [at("a", 1, { flow: "one" }), at("a", 1, { flow: "two" })];
  expect(settle(rows, answer(rows)).rows).toHaveLength(2);
});
