import { describe, expect, test } from "vitest";

import { fromField, isFiltered, listPath, outcomesPath, readFilters, toField, withFilters } from "./filters";

const NOW = Date.parse("2026-03-24T12:00:42Z");
const read = (search: string) => readFilters(new URLSearchParams(search));
const changed = (search: string, change: Parameters<typeof withFilters>[1]) =>
  withFilters(new URLSearchParams(search), change).toString();

describe("reading an address", () => {
  test("finds every filter", () => {
    expect(read("flow=acme&state=failed&state=parked&text=47&last=24h&after=abc")).toEqual({
      flow: "acme",
      states: ["failed", "parked"],
      text: "47",
      last: "24h",
      from: null,
      to: null,
      after: "abc",
    });
  });

  test("passes over what is no state, no window and no time", () => {
    expect(read("state=nonsense&last=9y&from=yesterday")).toMatchObject({
      states: [],
      last: null,
      from: null,
    });
  });

  test("of nothing filters nothing", () => {
    expect(isFiltered(read("after=abc&other=1"))).toBe(false);
    expect(isFiltered(read("state=failed"))).toBe(true);
  });
});

describe("changing a filter", () => {
  test("keeps the others and what is not ours", () => {
    expect(changed("tab=x&flow=acme&state=failed", { text: "47" })).toBe(
      "tab=x&flow=acme&text=47&state=failed",
    );
  });

  test("begins at the newest page again", () => {
    expect(changed("flow=acme&after=abc", { states: ["failed"] })).toBe("flow=acme&state=failed");
  });

  test("to another page keeps the choice", () => {
    expect(changed("state=failed", { after: "abc" })).toBe("after=abc&state=failed");
  });

  test("to nothing takes it out of the address", () => {
    expect(changed("flow=acme&text=47", { flow: null, text: "" })).toBe("");
  });

  test("survives being written and read", () => {
    const filters = read("flow=a%2Fb&state=in_doubt&text=%C3%B6%26&from=2026-03-01T00:00:00.000Z");
    expect(read(withFilters(new URLSearchParams(), filters).toString())).toEqual(filters);
  });
});

describe("the API's path", () => {
  test("of no filter is the bare list", () => {
    expect(listPath(read(""), {}, NOW)).toBe("requests");
  });

  test("names every state, and a window's begin in whole minutes", () => {
    expect(listPath(read("state=failed&state=parked&last=1h&text=%20x%20"), {}, NOW)).toBe(
      "requests?state=failed&state=parked&from=2026-03-24T11%3A00%3A00.000Z&text=x",
    );
  });

  test("in a run's tab is bound to that run, whatever the address says", () => {
    expect(listPath(read("flow=other"), { dagId: "acme", runId: "manual__1" }, NOW)).toBe(
      "requests?flow=acme&run_id=manual__1",
    );
  });

  test.each([
    ["", 24],
    ["last=7d", 168],
  ])("of the outcomes for '%s' asks for %i hours", (search, hours) => {
    expect(outcomesPath(read(search), {})).toBe(`requests/outcomes?hours=${hours}`);
  });
});

test("a field for a time shows the chosen zone's clock, and gives back what it was given", () => {
  const iso = "2026-03-24T22:05:00.000Z";
  expect(toField(iso, "Asia/Tokyo")).toBe("2026-03-25T07:05");
  expect(fromField("2026-03-25T07:05", "Asia/Tokyo")).toBe(iso);
  expect(fromField("", "UTC")).toBeNull();
  expect(fromField("no time", "UTC")).toBeNull();
  expect(toField(null, "UTC")).toBe("");
});
