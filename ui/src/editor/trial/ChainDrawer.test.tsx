import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { fetchOne, flow, serveFlow, showFlow } from "../fakeFlow";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test.each([
  ["a saved case's", { status: 201, body: '{"status": "OK"}' }],
  ["an empty", null],
])("the chain begins with %s answer of the ERP", async (_, answer) => {
  const calls = serveFlow(
    { "POST flows/acme/chain": { steps: [], call: null, write_back: null, error: null } },
    flow({ answer }),
  );
  showFlow();
  fireEvent.click(await screen.findByRole("button", { name: "Test the whole chain" }));
  fireEvent.click(await screen.findByRole("button", { name: "Run the chain" }));
  await waitFor(() => {
    expect(calls.find(({ path }) => path.endsWith("/chain"))?.json).toMatchObject({
      answer: answer ?? { status: 200, body: "{}" },
    });
  });
});

test.each([
  ["unmasked is marked", /unmasked/, 1],
  ["masked bears no mark", /data masked/, 0],
])("what the chain gives on an input that was fetched %s", async (_, how, marks) => {
  const rights = { ...flow().rights, reveal: true };
  const write_back = { outcome: "accepted", calls: [] };
  serveFlow(
    {
      "GET flows/acme/example": { request: { fetched: 7 } },
      "POST flows/acme/chain": { steps: [], call: null, write_back, error: null },
    },
    flow({ rights }),
  );
  showFlow("script");
  await fetchOne(how);
  const name = "Test the whole chain";
  fireEvent.click(within(screen.getByRole("region", { name: "Test" })).getByRole("button", { name }));
  const drawer = within(await screen.findByRole("dialog", { name }));
  const mark = "Personal data is shown";
  expect(drawer.queryByText(mark)).toBeNull(); // nothing is, before it runs
  fireEvent.click(drawer.getByRole("button", { name: "Run the chain" }));
  await drawer.findByText(/^What Omnitron would be told/);
  expect(drawer.queryAllByText(mark)).toHaveLength(marks);
});
