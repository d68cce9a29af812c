import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { fetchOne, flow, serveFlow, showFlow } from "../fakeFlow";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const TRIED = {
  result_data: { id: 7 },
  attributes: {},
  printed: "",
  log: [],
  error: null,
  took_ms: 1,
  explain: null,
  live: null,
  diff: null,
};
const rights = { ...flow().rights, reveal: true };

async function keepAsCase() {
  fireEvent.click(await screen.findByRole("button", { name: "Run" })); // a dialog before may still be closing
  fireEvent.click(await screen.findByRole("button", { name: "Save as test case" }));
  return screen.findByRole("dialog", { name: "Save as test case" });
}

const MARK = "Personal data is shown";
const WARNING = "The file will hold personal data";

test("an input that was fetched unmasked is marked, and its case says what it would hold", async () => {
  serveFlow(
    { "GET flows/acme/example": { request: { fetched: 7 } }, "POST flows/acme/try": TRIED },
    flow({ rights }),
  );
  showFlow("script");
  await fetchOne(/unmasked/);
  expect(screen.getByText(MARK)).toBeDefined();
  expect(within(await keepAsCase()).getByText(WARNING)).toBeDefined();
});

test("what is fetched masked instead bears no mark, and leaves no result of the one before", async () => {
  serveFlow(
    { "GET flows/acme/example": { request: { fetched: 7 } }, "POST flows/acme/try": TRIED },
    flow({ rights }),
  );
  showFlow("script");
  await fetchOne(/unmasked/);
  const dialog = await keepAsCase();
  fireEvent.click(within(dialog).getByRole("button", { name: "Fetch one masked instead" }));
  expect(await screen.findByText(/Nothing was run yet/)).toBeDefined();
  expect(screen.queryByText(MARK)).toBeNull();
  expect(within(await keepAsCase()).queryByText(WARNING)).toBeNull();
});
