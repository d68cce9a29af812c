import { expect, test } from "vitest";

import type { Chain, ChainStep } from "../../types";
import { arrivedAt, awaited, prettyText } from "./inputs";

const step = (name: string, more: Partial<ChainStep>): ChainStep => ({
  step: name,
  input: "{}",
  skipped: null,
  result_data: null,
  attributes: {},
  printed: "",
  log: [],
  error: null,
  took_ms: 1,
  explain: null,
  ...more,
});

const chain = (...steps: ChainStep[]): Chain => ({ steps, call: null, write_back: null, error: null });

test("a card gets its input, and the attributes that the cards before it and the call have left", () => {
  const whole = chain(
    step("script", { attributes: { kind: "RETURN" } }),
    step("custom_response", {
      input: '{"request_data":1}',
      attributes: { kind: "RETURN", "invokehttp.status.code": "200", relation: "continue" },
    }),
  );
  expect(arrivedAt(whole, "custom_response")).toEqual({
    input: '{\n  "request_data": 1\n}',
    attributes: [
      ["kind", "RETURN"],
      ["invokehttp.status.code", "200"],
    ],
  });
});

test("a chain that stops before a card brings it nothing", () => {
  const broken = chain(
    step("script", { error: "no" }),
    step("mapping", { skipped: "the step before failed" }),
  );
  expect(arrivedAt(broken, "mapping")).toBeNull();
  expect(arrivedAt(broken, "post_script")).toBeNull();
});

test("text that is no JSON stays as it is", () => {
  expect(prettyText("not yet")).toBe("not yet");
});

test.each([
  ["script", "script", /One request as JSON.*fetch it$/],
  ["mapping", "mapping", /One request as JSON.*fetch it$/],
  ["mapping", "script", /The script's result.*take it over$/],
  ["custom_response", "script", /"response_data".*take it over$/],
] as const)("the empty input of %s, where %s is first, says what it gets", (of, first, words) => {
  expect(awaited(of, first)).toMatch(words);
});
