import { describe, expect, test } from "vitest";

import type { Outcomes, OutcomeState } from "./types";
import { countsInWords, stack, sum, tick, windowInWords } from "./plot";

const none = { done: 0, failed: 0, in_doubt: 0, parked: 0, postponed: 0 };
const of = (...counts: Partial<Record<OutcomeState, number>>[]): Outcomes => ({
  from: "2026-03-24T10:00:00Z",
  to: "2026-03-24T12:00:00Z",
  bucket_s: 1800,
  buckets: counts.map((some, index) => ({
    at: new Date(Date.parse("2026-03-24T10:00:00Z") + index * 1_800_000).toISOString(),
    counts: { ...none, ...some },
  })),
});

describe("the bars", () => {
  test("fill the height with the largest bucket, and stand on the ground", () => {
    const { bars, top } = stack(of({ done: 10 }, { done: 5 }), 100);
    expect(top).toBe(10);
    expect(bars.map(({ parts }) => parts)).toEqual([
      [{ state: "done", count: 10, y: 0, height: 100 }],
      [{ state: "done", count: 5, y: 50, height: 50 }],
    ]);
  });

  test("stack what is well below what is not", () => {
    const [bar] = stack(of({ failed: 1, done: 1 }), 100).bars;
    expect(bar?.parts.map(({ state, y, height }) => [state, y, height])).toEqual([
      ["done", 50, 50],
      ["failed", 0, 50],
    ]);
  });

  test("let one failure be seen beside a thousand that went well, within the height", () => {
    const [bar] = stack(of({ done: 1000, failed: 1, parked: 1 }), 100).bars;
    const heights = bar?.parts.map(({ height }) => height) ?? [];
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(3);
    expect(heights.reduce((all, one) => all + one, 0)).toBeCloseTo(100);
    expect(bar?.parts.at(-1)?.y).toBeCloseTo(0);
  });

  test("of nothing are empty", () => {
    expect(stack(of({}, {}), 100)).toMatchObject({ top: 1, bars: [{ parts: [] }, { parts: [] }] });
  });

  test("end where the next one begins", () => {
    const [first, second] = stack(of({}, {}), 100).bars;
    expect(first?.end).toEqual(second?.at);
  });
});

test("counts are said in words, and those of all buckets together", () => {
  expect(countsInWords(sum(of({ done: 2, in_doubt: 1 }, { done: 1 })))).toBe("3 done, 1 in doubt");
  expect(countsInWords(none)).toBe("nothing");
});

test.each([
  [3_600, "2026-03-03T20:06:00Z", "05:06"],
  [86_400, "2026-03-03T14:59:00Z", "yesterday 23:59"],
  [7 * 86_400, "2026-03-03T20:06:00Z", "03-04 05:06"],
  [30 * 86_400, "2026-03-03T20:06:00Z", "03-04"],
])("over %i seconds %s is said as %s", (span_s, at, words) => {
  const now = new Date("2026-03-03T21:00:00Z");
  expect(tick(new Date(at), { span_s, now, zone: "Asia/Tokyo" })).toBe(words);
});

test.each([
  [3_660, "last hour"],
  [86_400 + 900, "last 24 hours"],
  [7 * 86_400 + 6 * 3600, "last 7 days"],
  [30 * 86_400 + 23 * 3600, "last 30 days"],
])("a plot over %i seconds is of the %s", (span, words) => {
  expect(windowInWords(span)).toBe(words);
});
