import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { afterEach, expect, test, vi } from "vitest";

import { field, flow, NEVER, No, press, serveFlow, showFlow, type } from "./fakeFlow";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("the query string follows the fields", async () => {
  serveFlow();
  showFlow();
  expect(await screen.findByText("status=approved")).toBeDefined();
  fireEvent.change(screen.getByRole("combobox", { name: /Cancellation Request Status/ }), {
    target: { value: "open" },
  });
  expect(await screen.findByText("status=open")).toBeDefined();
});

test("a message stands beside the field that it is about, and its card is marked", async () => {
  serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "");
  expect(await screen.findByText("is missing.")).toBeDefined();
  expect(screen.getByRole("img", { name: "1 error" })).toBeDefined();
  expect(screen.getByRole("button", { name: "Save (1 to repair)" })).toBeDefined();
});

test("a card that is switched on begins with a template; off again, its file stays", async () => {
  const calls = serveFlow();
  showFlow("mapping");
  fireEvent.click(await screen.findByRole("checkbox", { name: "Off" }));
  expect(await screen.findByRole("textbox", { name: "Mapping" })).toBeDefined();
  fireEvent.click(await screen.findByRole("checkbox", { name: "On" }));
  expect(await screen.findByText("This step is off")).toBeDefined();
  await waitFor(() => {
    const sent = calls.findLast(({ path }) => path.endsWith("/check"))?.json as {
      draft: { document: object; files: object };
    };
    expect(sent.draft.document).not.toHaveProperty("mapping");
    expect(sent.draft.files).toHaveProperty(["mapping.json"]);
  });
});

test("an editor of a file stays while one types in it, and the server checks", async () => {
  const calls = serveFlow({ "POST flows/acme/check": NEVER });
  showFlow("script");
  const editor = await screen.findByRole("textbox", { name: "Script" });
  const line = editor.querySelector(".cm-line");
  if (line !== null) line.textContent = "x = 2"; // as a browser does, which tells the editor afterwards
  expect(await screen.findByText("not saved")).toBeDefined();
  await waitFor(() => {
    expect(calls.some(({ path }) => path.endsWith("/check"))).toBe(true);
  });
  expect(editor.isConnected).toBe(true);
});

test("what flow.yaml says is waited for once its text has changed", async () => {
  serveFlow({ "POST flows/acme/check": NEVER });
  showFlow("raw");
  const line = (await screen.findByRole("textbox", { name: "flow.yaml" })).querySelector(".cm-line");
  if (line !== null) line.textContent = "# another";
  await screen.findByText("not saved");
  fireEvent.click(screen.getByRole("link", { name: /^Script/ }));
  expect(await screen.findByRole("status", { name: "Reading flow.yaml" })).toBeDefined();
});

test("a test panel runs the draft and shows result, attributes and what was printed", async () => {
  const calls = serveFlow({
    "POST flows/acme/try": {
      result_data: { id: 7 },
      attributes: { "log.script.error": "line 3: no" },
      printed: "hello",
      log: [["info", "fine"]],
      error: "line 3: no",
      took_ms: 4.2,
      explain: null,
      live: null,
      diff: null,
    },
  });
  showFlow("script");
  await screen.findByRole("textbox", { name: "Input" }).then(() => {
    fireEvent.click(screen.getByRole("button", { name: "Run" }));
  });
  expect(await screen.findByText("log.script.error")).toBeDefined();
  expect(screen.getByText(/hello/)).toBeDefined();
  expect(calls.find(({ path }) => path.endsWith("/try"))?.json).toMatchObject({
    step: "script",
    compare: false,
  });
});

test.each([
  ["script", "Run", /^Result/],
  ["cases", "Run all cases", "plain"],
])(
  "what runs too long on card %s is stopped by a press, and nothing is said to have failed",
  async (...of) => {
    const [card, begin, there] = of;
    const files = { ...flow().draft.files, "cases/plain.yaml": "step: script" };
    serveFlow(
      { "POST flows/acme/try": NEVER, "POST flows/acme/cases/run": NEVER },
      flow({ draft: { files, document: null } }),
    );
    showFlow(card);
    await screen.findByText(there);
    press(begin);
    expect(screen.getByRole("button", { name: "Running" }).hasAttribute("disabled")).toBe(true);
    fireEvent.click(await screen.findByRole("button", { name: "Stop" }));
    const again = await screen.findByRole("button", { name: begin });
    await waitFor(() => {
      expect(document.activeElement).toBe(again);
    });
    expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
    expect(screen.queryByText(/failed|could not/)).toBeNull();
  },
);

test("who leaves a card does not wait for what runs there", async () => {
  const calls = serveFlow({ "POST flows/acme/try": NEVER });
  showFlow("script");
  await screen.findByRole("textbox", { name: "Input" });
  press("Run");
  fireEvent.click(screen.getByRole("link", { name: /^Schedule/ }));
  await waitFor(() => {
    expect(calls.find(({ path }) => path.endsWith("/try"))?.signal?.aborted).toBe(true);
  });
});

test("who may not edit can look and test, and reads why", async () => {
  const rights = { see: true, test: false, edit: false, redo: false, reveal: false };
  serveFlow({}, flow({ rights }));
  showFlow("write_to_erp");
  expect((await field(/API URL/)).hasAttribute("disabled")).toBe(true);
  expect(screen.getByText(/Your role in Airflow lets you look/)).toBeDefined();
});

test("a folder that can't be written is read-only, and its reason is said", async () => {
  serveFlow({}, flow({ writable: false, why_not: "The folder belongs to root." }));
  showFlow();
  expect(await screen.findByText("Read-only: The folder belongs to root.")).toBeDefined();
  expect(screen.getByRole("button", { name: "Save" }).hasAttribute("disabled")).toBe(true);
});

test("a page with unsaved changes asks before it is left", async () => {
  serveFlow();
  const router = showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await act(() => router.navigate("/dags"));
  const dialog = await screen.findByRole("alertdialog");
  expect(router.state.location.pathname).toBe("/plugin/flows");
  fireEvent.click(within(dialog).getByRole("button", { name: "Leave" }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe("/dags");
  });
});

test("what is not saved is thrown away only after its files were named", async () => {
  serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  press("Discard");
  const dialog = await screen.findByRole("alertdialog");
  expect(within(dialog).getByText(/flow\.yaml is thrown away/)).toBeDefined();
  expect((await screen.findByDisplayValue<HTMLInputElement>("/refunds")).value).toBe("/refunds");
  fireEvent.click(within(dialog).getByRole("button", { name: "Discard" }));
  expect(await screen.findByDisplayValue("/cancellations")).toBeDefined();
});

test.each([
  ["Cancel", "button", "Discard"],
  ["Discard", "heading", "acme"],
])("the question whether to discard, answered with %s, leaves the focus on the %s %s", async (...of) => {
  const [answer, role, name] = of;
  const user = userEvent.setup();
  serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  await user.click(screen.getByRole("button", { name: "Discard" }));
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: answer }));
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole(role, { name }));
  });
});

const versionOf = (id: number) => ({
  id,
  revision: `r${id}`,
  at: "2026-03-24T12:00:00Z",
  author: "ayse",
  note: "",
  is_current: id === 2,
});

test("a restored version leaves the focus on the flow's name: the list with its button is read anew", async () => {
  const user = userEvent.setup();
  serveFlow({
    "GET flows/acme/history": { versions: [versionOf(2), versionOf(1)] },
    "GET flows/acme/history/diff": { files: [] },
    "POST flows/acme/restore": { revision: "r1", saved_at: "2026-03-24T12:00:00Z", cases: [] },
  });
  showFlow("history");
  const [, restore] = await screen.findAllByRole("button", { name: "Restore" });
  if (restore !== undefined) await user.click(restore);
  const dialog = await screen.findByRole("alertdialog");
  await user.click(within(dialog).getByRole("button", { name: "Restore" }));
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole("heading", { name: "acme" }));
  });
});

test("another card of the same flow is no leaving", async () => {
  serveFlow();
  showFlow("write_to_erp");
  type(await field(/API URL/), "/refunds");
  fireEvent.click(screen.getByRole("link", { name: /Delivery/ }));
  expect(await screen.findByRole("heading", { name: "Delivery" })).toBeDefined();
  expect(screen.queryByRole("alertdialog")).toBeNull();
});

test("a DAG that is no flow says so", async () => {
  serveFlow({ "GET flows/acme": new No(404, "Not Found") });
  showFlow();
  expect(await screen.findByText("acme is no flow")).toBeDefined();
});

test("Ctrl+Enter runs the test from anywhere on the card", async () => {
  const calls = serveFlow({ "POST flows/acme/try": new No(422, "Not now.") });
  showFlow("script");
  fireEvent.keyDown(await screen.findByRole("textbox", { name: "Script" }), { key: "Enter", ctrlKey: true });
  await waitFor(() => {
    expect(calls.some(({ path }) => path.endsWith("/try"))).toBe(true);
  });
});

test.each(["cases", "history"])("every column on card %s has a name that is read out", async (card) => {
  const at = "2026-03-24T12:00:00Z";
  const version = { id: 1, revision: "r1", at, author: "ayse", note: "", is_current: true };
  const files = { ...flow().draft.files, "cases/plain.yaml": "step: script" };
  serveFlow(
    { "GET flows/acme/history": { versions: [version] } },
    flow({ draft: { files, document: null } }),
  );
  showFlow(card);
  const heads = await screen.findAllByRole("columnheader");
  expect(heads.map(({ textContent }) => textContent)).not.toContain("");
});
