import { describe, expect, test } from "vitest";

import type { RequestState } from "./types";
import { redoWord, together } from "./consequences";
import { aLife } from "./made";

const redoOf = (state: RequestState, consequence: string, allowed = true) =>
  aLife({
    state,
    actions: { redo: { allowed, consequence, twice: state === "done" }, accepted: null, refused: null },
  });

test("what moves money twice stands first, what is left as it is last", () => {
  const kinds = together([
    redoOf("accepted", "Left.", false),
    redoOf("failed", "Once."),
    redoOf("done", "Twice."),
  ]);
  expect(kinds.map(({ text }) => text)).toEqual(["Twice.", "Once.", "Left."]);
});

describe("the button's word", () => {
  test.each<[RequestState[], string]>([
    [["failed"], "Redo it"],
    [["failed", "parked"], "Redo 2"],
    [["done"], "Book it twice"],
    [["done", "done"], "Book 2 twice"],
    [["failed", "done", "done"], "Redo 3, book 2 twice"],
  ])("for %j is %s", (states, word) => {
    expect(redoWord(states.map((state) => ({ state })))).toBe(word);
  });
});
