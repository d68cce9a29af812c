import { describe, expect, test } from "vitest";

import { aMoment } from "./made";
import { byAttempt, duration } from "./timeline";

describe("attempts", () => {
  test("hold what happened in each, with its runs and versions", () => {
    const { attempts } = byAttempt(
      [
        aMoment({ attempt: 1, run_id: "one", revision: "r1", at: "2026-03-24T10:00:00Z" }),
        aMoment({ attempt: 1, run_id: "one", revision: "r1", at: "2026-03-24T10:00:05Z" }),
        aMoment({ attempt: 2, run_id: "two", revision: "r2", at: "2026-03-24T11:00:00Z" }),
      ],
      [],
    );
    expect(attempts).toMatchObject([
      {
        number: 1,
        runs: ["one"],
        revisions: ["r1"],
        from: "2026-03-24T10:00:00Z",
        to: "2026-03-24T10:00:05Z",
      },
      { number: 2, runs: ["two"], revisions: ["r2"] },
    ]);
    expect(attempts.map(({ steps }) => steps.length)).toEqual([2, 1]);
  });

  test("take in what names none, such as a person's act", () => {
    const { attempts } = byAttempt(
      [aMoment({ attempt: 1 }), aMoment({ attempt: null, card: "A person" })],
      [],
    );
    expect(attempts.map(({ steps }) => steps.length)).toEqual([2]);
  });

  test("end with their last step, however late a person acts", () => {
    const late = aMoment({ attempt: 1, card: "A person", step: "", at: "2026-04-01T00:00:00Z" });
    const [attempt] = byAttempt([aMoment({ at: "2026-03-24T10:00:00Z" }), late], []).attempts;
    expect(attempt?.to).toBe("2026-03-24T10:00:00Z");
  });

  test("of an empty history are none", () => {
    expect(byAttempt([], [])).toEqual({ attempts: [], rest: [] });
  });
});

describe("bodies", () => {
  const timeline = [
    aMoment({ card: "Script", attempt: 1 }),
    aMoment({ card: "Sent", attempt: 1, send: 1 }),
    aMoment({ card: "Answered", attempt: 1, send: 1 }),
    aMoment({ card: "Script", attempt: 2, send: 1 }),
    aMoment({ card: "Answered", attempt: 2, send: 2 }),
  ];

  test("stand where they came to be: by attempt, or by call", () => {
    const { attempts, rest } = byAttempt(timeline, [
      { kind: "script", number: 2, data: "second script" },
      { kind: "answer", number: 1, data: "first answer" },
      { kind: "answer", number: 2, data: "second answer" },
    ]);
    const found = attempts.map(({ steps }) =>
      steps.flatMap(({ payloads }) => payloads.map(({ data }) => data)),
    );
    expect(found).toEqual([["first answer"], ["second script", "second answer"]]);
    expect(rest).toEqual([]);
  });

  test("that no moment claims are not lost", () => {
    const unknown = { kind: "script", number: 7, data: "x" };
    expect(byAttempt(timeline, [unknown]).rest).toEqual([unknown]);
  });
});

test.each([
  [0.4, "0 ms"],
  [340, "340 ms"],
  [1234, "1.2 s"],
  [125_000, "2 min 5 s"],
  [3_725_000, "1 h 2 min"],
])("%d ms are said as %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});
