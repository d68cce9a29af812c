import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router-dom";
import { afterEach, expect, test, vi } from "vitest";

import { App } from "../App";
import { flow } from "../editor/fakeFlow";
import { type Called, No, serve } from "../requests/fakeServer";
import type { FlowList, FlowRow } from "../types";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const row = (id: string, more: Partial<FlowRow> = {}): FlowRow => ({
  id,
  title: `The flow ${id}`,
  description: "",
  owner: null,
  tags: [],
  state: "live",
  enabled: true,
  problems: [],
  schedule: "Every 5 minutes",
  next_run: null,
  last_run: null,
  counts: { done: 12, failed: 3, in_doubt: 0, parked: 0 },
  rights: { see: true, test: true, edit: true, redo: true, reveal: true },
  ...more,
});

const list = (more: Partial<FlowList> = {}): FlowList => ({
  flows: [
    row("acme"),
    row("bad", {
      state: "broken",
      problems: [{ path: "get_data.status", message: "is missing.", file: null, line: null }],
    }),
  ],
  writable: true,
  why_not: null,
  templates: [{ name: "full", title: "Every step", description: "" }],
  can_create: true,
  ...more,
});

function show(answers: Record<string, unknown>): Called[] {
  const calls = serve({ "GET flows": list(), "GET flows/acme": flow(), ...answers });
  const router = createMemoryRouter([{ path: "/plugin/:page/*", element: <App page="Flows" /> }], {
    initialEntries: ["/plugin/flows"],
  });
  render(
    <ChakraProvider value={defaultSystem}>
      <RouterProvider router={router} />
    </ChakraProvider>,
  );
  return calls;
}

test("each flow has its state, its schedule in words and numbers that lead to its requests", async () => {
  show({});
  expect(await screen.findByRole("heading", { name: "2 flows" })).toBeDefined();
  expect(screen.getByRole("link", { name: "The flow acme" }).getAttribute("href")).toBe(
    "/plugin/flows?flow=acme",
  );
  const failed = screen.getAllByRole("link", { name: "3 failed" })[0];
  expect(failed?.getAttribute("href")).toBe("/plugin/requests?flow=acme&state=failed");
});

test("a broken flow stands there with its errors", async () => {
  show({});
  expect(await screen.findByText("get_data.status: is missing.")).toBeDefined();
  expect(screen.getByText("broken")).toBeDefined();
});

test("a new flow's id follows its title, and what is wrong with it is said as one types", async () => {
  const calls = show({
    "POST flows": { id: "acme_two", revision: "r" },
    "GET flows/acme_two": flow({ id: "acme_two" }),
  });
  fireEvent.click(await screen.findByRole("button", { name: "New flow" }));
  const dialog = await screen.findByRole("dialog");
  const title = within(dialog).getByRole("textbox", { name: "Title" });
  fireEvent.change(title, { target: { value: "Acme" } });
  expect(await within(dialog).findByText("There is a flow of this id.")).toBeDefined();
  fireEvent.change(title, { target: { value: "Acme two" } });
  fireEvent.click(within(dialog).getByRole("button", { name: "Create" }));
  expect(await screen.findByRole("heading", { name: "Get Data From Omnitron" })).toBeDefined();
  expect(calls.find(({ method }) => method === "POST")?.json).toEqual({
    id: "acme_two",
    title: "Acme two",
    template: "full",
  });
});

test("a click beside a dialog does not lose what was typed into it", async () => {
  const user = userEvent.setup({ pointerEventsCheck: 0 }); // where the backdrop is, nothing has a place here
  show({});
  await user.click(await screen.findByRole("button", { name: "New flow" }));
  const title = await screen.findByRole("textbox", { name: "Title" });
  await user.type(title, "Acme two");
  await user.click(screen.getByRole("heading", { hidden: true, name: "2 flows" }));
  await new Promise<void>((passed) => {
    setTimeout(passed, 50);
  });
  expect(screen.getByRole("dialog").dataset.state).toBe("open");
  expect((title as HTMLInputElement).value).toBe("Acme two");
});

test("a dialog begins at its first field, and Escape brings one back to its button", async () => {
  const user = userEvent.setup();
  show({});
  const button = await screen.findByRole("button", { name: "New flow" });
  await user.click(button);
  const title = await screen.findByRole("textbox", { name: "Title" });
  await waitFor(() => {
    expect(document.activeElement).toBe(title);
  });
  await user.keyboard("{Escape}");
  await waitFor(() => {
    expect(document.activeElement).toBe(button);
  });
});

test("a flow is deleted only when its name is typed", async () => {
  const calls = show({ "DELETE flows/acme": {} });
  fireEvent.click(await screen.findByRole("button", { name: "Actions for acme" }));
  fireEvent.click(await screen.findByRole("menuitem", { name: "Delete…" }));
  const dialog = await screen.findByRole("alertdialog");
  const button = within(dialog).getByRole("button", { name: "Delete" });
  expect(button.hasAttribute("disabled")).toBe(true);
  fireEvent.change(within(dialog).getByRole("textbox"), { target: { value: "acme" } });
  fireEvent.click(button);
  await waitFor(() => {
    expect(calls.find(({ method }) => method === "DELETE")?.json).toEqual({ base: "r1" });
  });
});

test("a deleted flow leaves the focus on the heading: its row goes", async () => {
  const user = userEvent.setup();
  show({ "DELETE flows/acme": {} });
  await user.click(await screen.findByRole("button", { name: "Actions for acme" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete…" }));
  await user.type(within(await screen.findByRole("alertdialog")).getByRole("textbox"), "acme{Enter}");
  await waitFor(() => {
    expect(document.activeElement).toBe(screen.getByRole("heading", { name: "2 flows" }));
  });
});

test("a flow opened from the list has the focus on its name", async () => {
  show({});
  await userEvent.click(await screen.findByRole("link", { name: "The flow acme" }));
  expect(document.activeElement).toBe(await screen.findByRole("heading", { level: 1, name: "acme" }));
});

test("a folder that can't be written lets nothing be made, and says why", async () => {
  show({ "GET flows": list({ writable: false, why_not: "The folder is read-only." }) });
  expect(await screen.findByText("Read-only: The folder is read-only.")).toBeDefined();
  expect(screen.getByRole("button", { name: "New flow" }).hasAttribute("disabled")).toBe(true);
});

test("a server that fails is said, with a way to try again", async () => {
  show({ "GET flows": new No(500, "The database is gone.") });
  expect(await screen.findByText("The database is gone.")).toBeDefined();
  expect(screen.getByRole("button", { name: "Try again" })).toBeDefined();
});
