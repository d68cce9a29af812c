import { classHighlighter, highlightTree } from "@lezer/highlight";
import { expect, test } from "vitest";

import { yaml } from "./yaml";

/** Each coloured piece of a text, with the name of its colour. */
function coloured(text: string): [string, string][] {
  const found: [string, string][] = [];
  highlightTree(yaml.parser.parse(text), classHighlighter, (from, to, classes) => {
    found.push([classes.replace("tok-", ""), text.slice(from, to)]);
  });
  return found;
}

test.each<[string, [string, string][]]>([
  ["# why", [["comment", "# why"]]],
  ["title: Acme#1 and 4702", [["propertyName", "title"]]],
  [
    "enabled: false   # off",
    [
      ["propertyName", "enabled"],
      ["bool", "false"],
      ["comment", "# off"],
    ],
  ],
  [
    "delivery: {lease: 60s, max_attempts: 5}",
    [
      ["propertyName", "delivery"],
      ["propertyName", "lease"],
      ["propertyName", "max_attempts"],
      ["number", "5"],
    ],
  ],
  [
    "X-Type: \"{{ attributes['a: b'] }}\"",
    [
      ["propertyName", "X-Type"],
      ["string", "\"{{ attributes['a: b'] }}\""],
    ],
  ],
  [
    "about: |\n  key: no\n\n  # no comment\nowner: me",
    [
      ["propertyName", "about"],
      ["keyword", "|"],
      ["string", "  key: no"],
      ["string", "  # no comment"],
      ["propertyName", "owner"],
    ],
  ],
])("%j is coloured", (text, pieces) => {
  expect(coloured(text)).toEqual(pieces);
});
