import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { RequestList } from "./types";
import { flowList, isRed, No, serve, show } from "./fakeServer";
import { aLife, aRow } from "./made";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const ROWS = [1, 2, 3].map((number) => aRow({ uuid: `u${number}`, id: 4700 + number }));
const LIST: RequestList = { requests: ROWS, next: null, counts: { failed: 3, done: 7 } };
const life = (uuid: string, consequence: string, { allowed = true, twice = false } = {}) =>
  aLife({ uuid, actions: { redo: { allowed, consequence, twice }, accepted: null, refused: null } });
const ready = () => screen.findByRole("link", { name: "4701" });
const box = (id: number) => screen.getByRole("checkbox", { name: `Choose Request ${id}` });

describe("the list", () => {
  test("asks for what the address says", async () => {
    const calls = serve({ "GET requests": LIST, "GET flows": flowList() });
    show("?state=failed&state=parked&text=47");
    await ready();
    expect(calls.map(({ path }) => path)).toContain("requests?state=failed&state=parked&text=47");
  });

  test("shows what the ERP said", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    show();
    await ready();
    expect(screen.getAllByText("the ERP answered 422")).toHaveLength(3);
    expect(screen.getByRole("columnheader", { name: "Answer or error" })).toBeTruthy();
  });

  test("says why a postponed one waits, beside the ERP's 200", async () => {
    const later = aRow({ uuid: "u1", state: "postponed", erp_status: 200, error: null });
    serve({ "GET requests": { ...LIST, requests: [later] }, "GET flows": flowList() });
    show();
    await ready();
    expect(screen.getByText("wants it later").textContent).toBe("200wants it later");
  });

  test("names no next try in the past", async () => {
    const [row] = ROWS;
    const due = { ...aRow(row), next_at: "2026-03-24T10:06:00Z" };
    serve({ "GET requests": { ...LIST, requests: [due] }, "GET flows": flowList() });
    show();
    await ready();
    expect(screen.getByText(/^again/).textContent).toBe("again at the next run");
  });

  test("counts every state, and a press on one goes into the address", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    const router = show("?text=47&after=x");
    await userEvent.click(await screen.findByRole("button", { name: "failed 3" }));
    expect(router.state.location.search).toBe("?text=47&state=failed");
    expect(screen.getByRole("button", { name: "failed 3" }).getAttribute("aria-pressed")).toBe("true");
    await router.navigate(-1);
    expect(router.state.location.search).toBe("?text=47&after=x");
  });

  test("takes what is typed into the address without a step of its own in the history", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    const router = show();
    await ready();
    await userEvent.type(screen.getByRole("textbox", { name: "Search" }), "4702");
    await waitFor(() => {
      expect(router.state.location.search).toBe("?text=4702");
    });
    expect(router.state.historyAction).toBe("REPLACE");
  });

  test("lets one go on typing after a pause, and takes what going back brings", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    const router = show();
    await ready();
    const field = screen.getByRole<HTMLInputElement>("textbox", { name: "Search" });
    await userEvent.type(field, "47");
    await waitFor(() => {
      expect(router.state.location.search).toBe("?text=47");
    });
    expect(document.activeElement).toBe(field);
    await userEvent.keyboard("02");
    await waitFor(() => {
      expect(router.state.location.search).toBe("?text=4702");
    });
    await act(() => router.navigate("?text=other"));
    expect(field.value).toBe("other");
  });

  test("takes the two times as those of the zone chosen in Airflow", async () => {
    localStorage.setItem("timezone", JSON.stringify("Asia/Tokyo"));
    serve({ "GET requests": LIST, "GET flows": flowList() });
    const router = show("?from=2026-03-24T22:05:00.000Z");
    await ready();
    const field = screen.getByLabelText<HTMLInputElement>("From");
    expect(field.value).toBe("2026-03-25T07:05");
    fireEvent.change(field, { target: { value: "2026-03-25T09:00" } });
    expect(new URLSearchParams(router.state.location.search).get("from")).toBe("2026-03-25T00:00:00.000Z");
    localStorage.clear();
  });

  test("goes to older ones and back to the newest", async () => {
    const calls = serve({ "GET requests": { ...LIST, next: "cursor" }, "GET flows": flowList() });
    const router = show("?state=failed");
    await userEvent.click(await screen.findByRole("button", { name: "Older" }));
    expect(calls.at(-1)?.path).toBe("requests?state=failed&after=cursor");
    await userEvent.click(screen.getByRole("button", { name: "Newest" }));
    expect(router.state.location.search).toBe("?state=failed");
  });

  test("in a run's tab is that run's alone", async () => {
    const calls = serve({ "GET requests": LIST, "GET flows": flowList() });
    show("", { dagId: "acme", runId: "manual__1" });
    await ready();
    expect(calls.map(({ path }) => path)).toContain("requests?flow=acme&run_id=manual__1");
    expect(screen.queryByRole("combobox", { name: "Flow" })).toBeNull();
  });
});

describe("nothing to show", () => {
  const EMPTY = { requests: [], next: null, counts: {} };

  test("says how to see something first", async () => {
    serve({ "GET requests": EMPTY, "GET flows": flowList() });
    show();
    expect(await screen.findByText("No request has been seen yet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Flows" }).getAttribute("href")).toBe("/plugin/flows");
  });

  test("says that a filter may hide what is there", async () => {
    serve({ "GET requests": EMPTY, "GET flows": flowList() });
    const router = show("?state=failed");
    expect(await screen.findByText("No request matches")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
    expect(router.state.location.search).toBe("");
  });

  test("says what it means that the ledger can't be reached, and tries again", async () => {
    let up = false;
    serve({
      "GET requests": () => (up ? LIST : new No(503, "The database is away.")),
      "GET flows": flowList(),
    });
    show();
    expect(await screen.findByText(/no request is sent until it can, and none is lost/)).toBeTruthy();
    expect(screen.getByText("The database is away.")).toBeTruthy();
    up = true;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await ready();
  });

  test("says whom to ask where the right is missing", async () => {
    serve({ "GET requests": new No(403, "Forbidden"), "GET flows": flowList() });
    show();
    expect(await screen.findByText("You may not see these requests")).toBeTruthy();
  });
});

describe("choosing and redoing", () => {
  test("is not offered to who may not redo", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList(false) });
    show();
    await ready();
    expect(screen.queryByRole("checkbox")).toBeNull();
  });

  test("works by keys: arrows walk, the space bar chooses, with shift a range", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    show();
    await screen.findAllByRole("checkbox");
    const user = userEvent.setup();
    box(4701).focus();
    await user.keyboard(" {ArrowDown}");
    expect(document.activeElement).toBe(box(4702));
    await user.keyboard("{ArrowDown}{Shift>} {/Shift}");
    expect(screen.getByText("3 requests chosen")).toBeTruthy();
  });

  test("leaves the focus on the heading when what is chosen is let go", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList() });
    show();
    await screen.findAllByRole("checkbox");
    await userEvent.click(box(4701));
    await userEvent.click(screen.getByRole("button", { name: "Let go" }));
    await waitFor(() => {
      expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1, name: "Requests" }));
    });
  });

  test("states what it means for each kind, asks why, and tells of each that could not be", async () => {
    const calls = serve({
      "GET requests": LIST,
      "GET flows": flowList(),
      "GET flows/acme/requests/u1": life("u1", "It is sent again under a new key."),
      "GET flows/acme/requests/u2": life("u2", "It is sent again under a new key."),
      "GET flows/acme/requests/u3": life("u3", "It is booked and only written back.", { allowed: false }),
      "POST flows/acme/requests/redo": {
        results: [
          { uuid: "u1", ok: true, message: "" },
          { uuid: "u2", ok: true, message: "" },
        ],
      },
    });
    show();
    await screen.findAllByRole("checkbox");
    await userEvent.click(screen.getByRole("checkbox", { name: "Choose all that are shown" }));
    await userEvent.click(screen.getByRole("button", { name: "Redo…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(dialog.getByText("It is sent again under a new key.")).toBeTruthy();
    expect(dialog.getByText("It is booked and only written back.")).toBeTruthy();
    const redo = dialog.getByRole<HTMLButtonElement>("button", { name: "Redo 2" });
    expect(redo.disabled).toBe(true);
    await userEvent.type(dialog.getByRole("textbox"), "The period is open again");
    await userEvent.click(redo);
    await waitFor(() => {
      expect(calls.find(({ method }) => method === "POST")?.json).toEqual({
        uuids: ["u1", "u2"],
        why: "The period is open again",
        seen: { u1: "2026-03-24T10:01:00Z", u2: "2026-03-24T10:01:00Z" },
      });
    });
    await waitFor(() => {
      expect(screen.queryByText(/chosen$/)).toBeNull();
    });
  });
});

test("a redo of many says on its button how many are booked twice", async () => {
  const [first, second] = ROWS;
  const words = "Booked already: the money moves twice.";
  const booked = { ...life("u1", words, { twice: true }), state: "done" as const };
  serve({
    "GET requests": { ...LIST, requests: [first, second] },
    "GET flows": flowList(),
    "GET flows/acme/requests/u1": booked,
    "GET flows/acme/requests/u2": life("u2", "It is sent again under a new key."),
  });
  show();
  await screen.findAllByRole("checkbox");
  await userEvent.click(screen.getByRole("checkbox", { name: "Choose all that are shown" }));
  await userEvent.click(screen.getByRole("button", { name: "Redo…" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  expect(isRed(dialog.getByRole("button", { name: "Redo 2, book 1 twice" }))).toBe(true);
  expect(dialog.getByText("booked twice")).toBeTruthy();
});

test("a redo of what is in doubt is marked, too: it may be booked twice", async () => {
  const [first] = ROWS;
  const doubted = {
    ...life("u1", "If it is booked, the money moves twice.", { twice: true }),
    state: "in_doubt",
  };
  serve({
    "GET requests": { ...LIST, requests: [first] },
    "GET flows": flowList(),
    "GET flows/acme/requests/u1": doubted,
  });
  show();
  await screen.findAllByRole("checkbox");
  await userEvent.click(box(4701));
  await userEvent.click(screen.getByRole("button", { name: "Redo…" }));
  const dialog = within(await screen.findByRole("alertdialog"));
  expect(isRed(dialog.getByRole("button", { name: "Redo it" }))).toBe(true);
  expect(dialog.getByText("may be booked twice")).toBeTruthy();
});
