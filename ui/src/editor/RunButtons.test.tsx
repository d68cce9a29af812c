import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { DOCUMENT, flow, press, serveFlow, showFlow } from "./fakeFlow";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("a flow that Airflow learns of can be run without loading the page again", async () => {
  const known = { known: true, paused: true, next_run: null, last_run: null, parsed_at: null };
  let asked = 0;
  serveFlow({
    "GET flows/acme": () =>
      flow(asked++ === 0 ? { airflow: { ...known, known: false } } : { airflow: known }),
  });
  showFlow();
  await screen.findByText("new");
  expect(screen.queryByRole("button", { name: "Unpause and run" })).toBeNull();
  expect(await screen.findByRole("button", { name: "Unpause and run" })).toBeDefined();
});

const lastRun = (state: string) => ({ last_run: { run_id: "r", state, at: "2026-03-24T12:00:00Z" } });

test("the state of a run that is under way follows without loading the page again", async () => {
  const known = { known: true, paused: false, next_run: null, parsed_at: null };
  let asked = 0;
  serveFlow({
    "GET flows/acme": () =>
      flow({ airflow: { ...known, ...lastRun(asked++ === 0 ? "running" : "success") } }),
  });
  showFlow();
  expect(await screen.findByText(/running/)).toBeDefined();
  expect(await screen.findByText(/success/)).toBeDefined();
});

/** Where a call to Airflow's own API goes. */
const RUNS = `POST ${new URL("api/v2/dags/acme/dagRuns", document.baseURI).pathname}`;

test("a run sends to the ERP, so it is asked for first; the run that was queued can be gone to", async () => {
  const calls = serveFlow({ [RUNS]: { dag_run_id: "manual__1" } });
  showFlow();
  await screen.findByRole("button", { name: "Run now" });
  press("Run now");
  const dialog = await screen.findByRole("alertdialog", { name: "Run acme now?" });
  expect(within(dialog).getByText("Requests that match are sent to the ERP now.")).toBeDefined();
  expect(calls.some(({ method }) => method === "POST")).toBe(false);
  fireEvent.click(within(dialog).getByRole("button", { name: "Run now" }));
  expect(await screen.findByText("A run is queued")).toBeDefined();
  const link = await screen.findByRole("link", { name: "See the run" });
  expect(link.getAttribute("href")).toBe("/dags/acme/runs/manual__1");
});

test("who asks for a run while one is under way is told so", async () => {
  const known = { known: true, paused: false, next_run: null, parsed_at: null };
  serveFlow({}, flow({ airflow: { ...known, ...lastRun("running") } }));
  showFlow();
  await screen.findByRole("button", { name: "Run now" });
  press("Run now");
  const dialog = await screen.findByRole("alertdialog", { name: "Run acme now?" });
  expect(within(dialog).getByText(/under way already/)).toBeDefined();
});

test("a dialog that closes does not speak of the run that it has just begun", async () => {
  const known = { known: true, paused: true, next_run: null, parsed_at: null };
  let begun = false;
  serveFlow({
    [`PATCH ${new URL("api/v2/dags/acme", document.baseURI).pathname}`]: {},
    [RUNS]: () => {
      begun = true;
      return { dag_run_id: "manual__1" };
    },
    "GET flows/acme": () =>
      flow({ airflow: { ...known, paused: !begun, ...(begun ? lastRun("queued") : { last_run: null }) } }),
  });
  showFlow();
  const button = await screen.findByRole("button", { name: "Unpause and run" });
  fireEvent.click(button);
  const dialog = await screen.findByRole("alertdialog");
  const words = dialog.textContent;
  fireEvent.click(within(dialog).getByRole("button", { name: "Unpause and run" }));
  await waitFor(() => {
    expect(button.textContent).toBe("Run now");
  });
  expect(dialog.textContent).toBe(words);
});

const SCHEDULED = { ...DOCUMENT, schedule: { every: "5m" } };
const WRONG = { path: "get_data.status", message: "is missing.", file: null, line: null };

test.each([
  ["runs by its schedule from then on", SCHEDULED, [], "The flow runs by its schedule again from then on."],
  ["stays switched on", DOCUMENT, [], "The flow stays unpaused; without a schedule it runs only by hand."],
  ["fails", SCHEDULED, [WRONG], "The saved flow is broken: the run fails, and nothing is sent."],
])("who unpauses a flow and runs it reads that it %s", async (...of) => {
  const [, document, problems, words] = of;
  const airflow = { known: true, paused: true, next_run: null, last_run: null, parsed_at: null };
  const { checked } = flow();
  serveFlow({}, flow({ airflow, checked: { ...checked, document, problems } }));
  showFlow();
  await screen.findByRole("button", { name: "Unpause and run" });
  press("Unpause and run");
  const dialog = within(await screen.findByRole("alertdialog"));
  expect(dialog.getByText(words)).toBeDefined();
  expect(dialog.queryByText(/are sent to the ERP now/) === null).toBe(problems.length > 0);
});

test("who may only look is not offered what Airflow would refuse", async () => {
  const rights = { see: true, test: false, edit: false, redo: false, reveal: false };
  serveFlow({}, flow({ rights }));
  showFlow();
  await screen.findByRole("button", { name: "Run now" });
  for (const name of ["Run now", "Pause"]) {
    expect(screen.getByRole("button", { name }).hasAttribute("disabled")).toBe(true);
  }
});
