import { describe, expect, test } from "vitest";

import { adviceFor, nextTry } from "./advice";

const NOW = Date.parse("2026-03-24T12:00:00Z");
const PAST = "2026-03-24T11:24:00Z";
const FUTURE = "2026-03-24T12:20:00Z";

test("an earlier call that may be booked comes before what the state asks for", () => {
  const can = { allowed: true, consequence: "", twice: false };
  const actions = { redo: can, accepted: can, refused: can };
  expect(adviceFor({ state: "failed", by_hand: true, actions })).toContain("Look into the ERP");
  expect(adviceFor({ state: "failed", by_hand: true })).toContain("Repair the cause");
});

describe("the next try", () => {
  test.each([
    [null, false, null],
    [FUTURE, false, { words: "", at: FUTURE }],
    [PAST, false, { words: "at the next run", at: null }],
    [PAST, true, { words: "when somebody starts a run", at: null }],
    [FUTURE, true, { words: "when somebody starts a run", at: FUTURE }],
  ])("of %s, by hand: %s, is never in the past and promises no run", (next_at, by_hand, told) => {
    expect(nextTry({ next_at, by_hand }, NOW)).toEqual(told);
  });

  test("is said to come by itself only where something starts runs", () => {
    expect(adviceFor({ state: "failed", by_hand: false })).toContain("by itself after a pause");
    expect(adviceFor({ state: "failed", by_hand: true })).toContain("Nothing starts a run by itself");
  });
});
