import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";

import { field, flow, NEVER, No, press, serveFlow, showFlow, type } from "../fakeFlow";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const saveAs = async (note: string) => {
  press(/^Save/);
  const dialog = await screen.findByRole("dialog");
  const box = within(dialog).queryByRole("textbox", { name: "Note" });
  if (box !== null) type(box, note);
  fireEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  return dialog;
};

test("with something to repair, the save dialog says what and does not save", async () => {
  const calls = serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "");
  await screen.findByText("is missing.");
  press(/^Save/);
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText(/write_to_erp.url: is missing/)).toBeDefined();
  expect(within(dialog).getByRole("button", { name: "Save" }).hasAttribute("disabled")).toBe(true);
  expect(calls.some(({ method }) => method === "PUT")).toBe(false);
});

test("a save sends the base, the draft and the note, and tells when Airflow has taken it up", async () => {
  const calls = serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await saveAs("the new address");
  expect(await screen.findByText(/Saved, and live in Airflow/)).toBeDefined();
  const put = calls.find(({ method }) => method === "PUT");
  expect(put?.json).toMatchObject({
    base: "r1",
    note: "the new address",
    despite: false,
    draft: { document: { write_to_erp: { url: "/refunds" } } },
  });
  expect(screen.queryByText("not saved")).toBeNull();
});

test("failing cases are shown, and saved all the same only when that is said", async () => {
  let asked = 0;
  const cases = [{ case: "booked", step: "script", passed: false, failures: ["- 1", "+ 2"] }];
  const calls = serveFlow({
    "PUT flows/acme": () =>
      asked++ === 0
        ? new No(409, { code: "cases", message: "One case fails.", cases })
        : { revision: "r2", saved_at: "2026-03-24T12:00:00Z", cases },
  });
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await saveAs("");
  const dialog = await screen.findByRole("dialog", { name: "Some test cases fail" });
  expect(within(dialog).getByText("booked (script)")).toBeDefined();
  fireEvent.click(within(dialog).getByRole("button", { name: "Save all the same" }));
  await screen.findByText(/Saved, and live/);
  expect(
    calls.filter(({ method }) => method === "PUT").map(({ json }) => (json as { despite: boolean }).despite),
  ).toEqual([false, true]);
});

const theirs = { "flow.yaml": "# theirs\n", "script.py": "x = 2\n" };
const changed = {
  code: "changed",
  message: "Changed.",
  revision: "r9",
  author: "ayse",
  at: "2026-03-24T11:00:00Z",
  diffs: [{ name: "script.py", before: "x = 1\n", after: "x = 2\n", diff: "-x = 1\n+x = 2\n" }],
};

/** Serve a flow that somebody else changes before the first save; each further save gets the next answer. */
function serveConflict(...answers: unknown[]) {
  let now = flow();
  const replies = [new No(409, changed), ...answers];
  return serveFlow({
    "GET flows/acme": () => now,
    "PUT flows/acme": () => {
      now = flow({ revision: "r9", draft: { files: theirs, document: null } });
      return replies.shift();
    },
  });
}

test("what somebody saved meanwhile is shown, and mine goes on top of it", async () => {
  const calls = serveConflict({ revision: "r10", saved_at: "2026-03-24T12:00:00Z", cases: [] });
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await saveAs("");
  const dialog = await screen.findByRole("dialog", { name: /changed this flow meanwhile/ });
  expect(within(dialog).getByText("+x = 2")).toBeDefined();
  expect(within(dialog).getByRole("heading", { level: 3, name: /^script\.py/ })).toBeDefined();
  fireEvent.click(within(dialog).getByRole("button", { name: "Keep mine on top" }));
  await screen.findByText(/Saved, and live/);
  const last = calls.findLast(({ method }) => method === "PUT")?.json;
  expect(last).toMatchObject({
    base: "r9",
    draft: { files: { "script.py": "x = 2\n" }, document: { write_to_erp: { url: "/refunds" } } },
  });
});

test("what goes on top of another's save is saved despite failing cases, too", async () => {
  const cases = [{ case: "booked", step: "script", passed: false, failures: ["- 1", "+ 2"] }];
  const calls = serveConflict(new No(409, { code: "cases", message: "One case fails.", cases }), {
    revision: "r10",
    saved_at: "2026-03-24T12:00:00Z",
    cases,
  });
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await saveAs("");
  fireEvent.click(await screen.findByRole("button", { name: "Keep mine on top" }));
  fireEvent.click(await screen.findByRole("button", { name: "Save all the same" }));
  await screen.findByText(/Saved, and live/);
  const last = calls.findLast(({ method }) => method === "PUT")?.json;
  expect(last).toMatchObject({
    base: "r9",
    despite: true,
    draft: { files: { "script.py": "x = 2\n" }, document: { write_to_erp: { url: "/refunds" } } },
  });
});

test.each([
  ["ayse", /^ayse changed it .+ ago\. This is what differs:$/],
  ["outside the designer", /^It was changed outside the designer, which was first seen .+ ago\. This is/],
])("who changed the flow meanwhile is said in a sentence: %s", async (author, sentence) => {
  serveFlow({ "PUT flows/acme": new No(409, { ...changed, author }) });
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await saveAs("");
  const dialog = await screen.findByRole("dialog", { name: /changed this flow meanwhile/ });
  const said = within(dialog).getByText(/This is what differs/);
  expect(said.textContent.trim()).toMatch(sentence);
});

test("a schedule alone is saved by its own route", async () => {
  const calls = serveFlow({
    "POST flows/acme/schedule": { revision: "r2", saved_at: "2026-03-24T12:00:00Z", cases: [] },
  });
  showFlow("schedule");
  fireEvent.click(await screen.findByRole("radio", { name: "Repeat Every" }));
  type(await field(/Repeat Every/), "15m");
  await saveAs("");
  await waitFor(() => {
    expect(calls.find(({ path }) => path === "flows/acme/schedule")?.json).toEqual({ every: "15m" });
  });
  expect(calls.some(({ method }) => method === "PUT")).toBe(false);
});

test("a save that is under way is not left by Escape, × or Cancel: its outcome would not be told", async () => {
  serveFlow({ "PUT flows/acme": NEVER });
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  const dialog = await saveAs("");
  await within(dialog).findByText("Checking and saving");
  for (const name of ["Cancel", "Close"]) {
    const button = within(dialog).getByRole("button", { name });
    expect(button.getAttribute("aria-disabled")).toBe("true");
    fireEvent.click(button);
  }
  fireEvent.keyDown(dialog, { key: "Escape" });
  await waitFor(() => {
    expect(screen.getByRole("dialog", { name: "Save acme" }).dataset.state).toBe("open");
  });
});

test.each([
  ["Cancel", "button", "Save"],
  ["Save", "heading", "acme"],
])("the save dialog, left by %s, leaves the focus on the %s %s", async (...of) => {
  const [answer, role, name] = of;
  const user = userEvent.setup();
  serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await user.click(screen.getByRole("button", { name: "Save" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: answer }));
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole(role, { name }));
  });
});
