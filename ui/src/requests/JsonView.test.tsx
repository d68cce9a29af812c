import { expect, test } from "vitest";

import { readable } from "./JsonView";

test.each([
  ["a text of JSON is what it says", '{"a": 1}', { a: 1 }],
  ["a text that is none stays", "{a: 1", "{a: 1"],
  ["a number in quotes stays a text", "12", "12"],
  ["a call's body is what it says", { method: "POST", body: "[1]" }, { method: "POST", body: [1] }],
  [
    "an answer is shown once",
    { status: 422, text: '{"a": 1}', data: { a: 1 } },
    { status: 422, data: { a: 1 } },
  ],
  [
    "an answer that is no JSON keeps its text",
    { text: "<html>", data: null },
    { text: "<html>", data: null },
  ],
])("%s", (_, data, shown) => {
  expect(readable(data)).toEqual(shown);
});
