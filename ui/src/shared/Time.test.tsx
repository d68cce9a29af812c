import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { absolute, relative, Time } from "./Time";

afterEach(() => {
  cleanup();
  localStorage.clear();
});

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
  expect(absolute(new Date("2026-03-04T05:06:07Z"), "UTC")).toBe("2026-03-04 05:06:07");
});

test("a clock's time is the one in the zone chosen in Airflow", () => {
  localStorage.setItem("timezone", JSON.stringify("Asia/Tokyo"));
  render(
    <ChakraProvider value={defaultSystem}>
      <Time at="2026-03-24T22:30:05Z" exact />
    </ChakraProvider>,
  );
  expect(screen.getByText("2026-03-25 07:30:05")).toBeTruthy();
});
