import { expect, test } from "vitest";

import { absolute, relative } from "./Time";

const now = new Date("2026-03-24T12:00:00Z");

test.each([
  ["2026-03-24T11:55:00Z", "5 minutes ago"],
  ["2026-03-24T14:00:00Z", "in 2 hours"],
  ["2026-03-23T11:00:00Z", "yesterday"],
  ["2026-03-24T11:59:50Z", "just now"],
  ["2026-03-24T12:00:20Z", "in a moment"],
])("%s is said as %s", (at, words) => {
  expect(relative(new Date(at), now)).toBe(words);
});

test("a clock's time has two digits everywhere", () => {
  expect(absolute(new Date(2026, 2, 4, 5, 6, 7))).toBe("2026-03-04 05:06:07");
});
