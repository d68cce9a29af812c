import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { flow, serveFlow, showFlow } from "../fakeFlow";

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
  fireEvent.click(await screen.findByRole("button", { name: "Run the whole chain" }));
  fireEvent.click(await screen.findByRole("button", { name: "Run the chain" }));
  await waitFor(() => {
    expect(calls.find(({ path }) => path.endsWith("/chain"))?.json).toMatchObject({
      answer: answer ?? { status: 200, body: "{}" },
    });
  });
});
