import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { Life } from "./types";
import { flowList, isRed, serve, show } from "./fakeServer";
import { aLife, aMoment } from "./made";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const PATH = "flows/acme/requests/u1";
const open = (more: Partial<Life> = {}, answers: Record<string, unknown> = {}) => {
  const calls = serve({
    [`GET ${PATH}`]: aLife({ uuid: "u1", ...more }),
    "GET flows": flowList(),
    ...answers,
  });
  return { calls, router: show("?flow=acme&request=u1") };
};
const DOUBT = {
  state: "in_doubt",
  actions: {
    redo: { allowed: true, consequence: "It is sent again under the same key.", twice: false },
    accepted: { allowed: true, consequence: "Omnitron is told. Nothing is sent.", twice: false },
    refused: { allowed: false, consequence: "A worker is on it.", twice: false },
  },
} satisfies Partial<Life>;
const readAt = (at: string, state: Life["state"]) => {
  const redo = { allowed: true, consequence: `Read ${at}.`, twice: state === "done" };
  const actions = { redo, accepted: null, refused: null };
  return aLife({ uuid: "u1", last_changed: `2026-03-24T${at}:00Z`, state, actions });
};
const viewer = { see: true, test: false, edit: false, redo: false, reveal: false };

describe("a request's page", () => {
  test("says first how often it was sent", async () => {
    open();
    const story = await screen.findByRole("region", { name: "The story" });
    expect(story.firstChild?.textContent).toBe("It was sent to the ERP once, and no call booked anything.");
    expect(story.textContent).toContain("Repair the cause");
  });

  test("tells the key that was sent apart from the next one", async () => {
    open({ idempotency_key: "acme-u1-1", next_key: "acme-u1-2" });
    expect((await screen.findByText("Idempotency key of the last call")).nextSibling?.textContent).toBe(
      "acme-u1-1",
    );
    expect(screen.getByText("Next key").nextSibling?.textContent).toBe("acme-u1-2");
  });

  test("names no next try in the past, and who has to start it", async () => {
    open({ next_at: "2026-03-24T11:24:00Z", by_hand: true });
    const story = await screen.findByRole("region", { name: "The story" });
    expect(story.textContent).toContain("The next try: when somebody starts a run.");
    expect(story.textContent).not.toContain("ago");
  });

  test("names the earliest time where somebody has to start the next run", async () => {
    const soon = new Date(Date.now() + 4.5 * 60_000).toISOString();
    open({ next_at: soon, by_hand: true });
    const story = await screen.findByRole("region", { name: "The story" });
    expect(story.textContent).toContain("when somebody starts a run, in 4 minutes at the earliest.");
  });

  test("says what to do in whole sentences while a redo waits", async () => {
    open({ redo: true });
    const story = await screen.findByRole("region", { name: "The story" });
    expect(story.textContent).toContain("What to do now: It is done again at the next run.");
  });

  test("leads to the task logs", async () => {
    const log_url = "dags/acme/runs/manual__1/tasks/requests.script/mapped/0";
    open({ timeline: [aMoment({ card: "Script", log_url })] });
    const link = await screen.findByRole("link", { name: "Task log of Script" });
    expect(link.getAttribute("href")).toBe(`/${log_url}`);
  });

  test("shows a body where it came to be, as what it says", async () => {
    open({
      timeline: [aMoment({ card: "Sent", send: 1 })],
      payloads: [{ kind: "sent", number: 1, data: { method: "POST", body: '{"iban": "***"}' } }],
    });
    await userEvent.click(await screen.findByText("What was sent to the ERP"));
    expect(screen.getByText('"iban":', { exact: false })).toBeTruthy();
    expect(screen.getByTitle("Personal data, masked").textContent).toBe('"***"');
    expect(screen.getByRole("button", { name: /^Copy/ })).toBeTruthy();
  });

  test("that is not there says so", async () => {
    serve({ "GET flows": flowList() });
    show("?flow=acme&request=u1");
    expect(await screen.findByText("There is no such request")).toBeTruthy();
  });
});

describe("a person's act", () => {
  test("stands beside what it brings about, and says why where it can't be done", async () => {
    open(DOUBT);
    const booked = await screen.findByRole<HTMLButtonElement>("button", { name: /has booked it/ });
    expect(booked.disabled).toBe(false);
    expect(screen.getByText("Omnitron is told. Nothing is sent.")).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: /has not booked it/ }).disabled).toBe(true);
    expect(screen.getByText("A worker is on it.")).toBeTruthy();
  });

  test("resolves with a reason, and states once more what it brings about", async () => {
    const { calls } = open(DOUBT, { [`POST ${PATH}/resolve`]: {} });
    await userEvent.click(await screen.findByRole("button", { name: /has booked it/ }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(dialog.getByText("Omnitron is told. Nothing is sent.")).toBeTruthy();
    await userEvent.type(dialog.getByRole("textbox"), "Seen in the ERP");
    await userEvent.click(dialog.getByRole("button", { name: "Yes, it is booked" }));
    await waitFor(() => {
      expect(calls.find(({ method }) => method === "POST")).toMatchObject({
        path: `${PATH}/resolve`,
        json: { as: "accepted", why: "Seen in the ERP", seen: "2026-03-24T10:01:00Z" },
      });
    });
    expect(calls.filter(({ path }) => path === PATH)).toHaveLength(2);
  });

  test("that the server refuses keeps the dialog open with its words", async () => {
    const refused = { results: [{ uuid: "u1", ok: false, message: "The ERP has booked it by now." }] };
    open({}, { "POST flows/acme/requests/redo": refused });
    await userEvent.click(await screen.findByRole("button", { name: "Redo…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    await userEvent.type(dialog.getByRole("textbox"), "again");
    await userEvent.click(dialog.getByRole("button", { name: "Redo it" }));
    expect((await dialog.findByRole("alert")).textContent).toBe("The ERP has booked it by now.");
  });

  test.each([
    ["done", "Book it twice"],
    ["in_doubt", "Redo it"],
  ] as const)(
    "on one that is %s, which can book it twice, is marked as dangerous: %s",
    async (state, word) => {
      const redo = { allowed: true, consequence: "The money moves twice.", twice: true };
      open({ state, actions: { redo, accepted: null, refused: null } });
      const ask = await screen.findByRole("button", { name: "Redo…" });
      await userEvent.click(ask);
      const dialog = within(await screen.findByRole("alertdialog"));
      const twice = dialog.getByRole("button", { name: word });
      expect([ask, twice].map(isRed)).toEqual([true, true]);
      expect(isRed(dialog.getByRole("button", { name: "Cancel" }))).toBe(false);
    },
  );

  test("on what has changed meanwhile is refused, and shows and means then what is there now", async () => {
    const lives = [readAt("10:01", "failed"), readAt("10:02", "done")];
    const refused = { results: [{ uuid: "u1", ok: false, message: "It has changed meanwhile." }] };
    const reads = [...lives];
    const { calls } = open(
      {},
      {
        [`GET ${PATH}`]: () => (reads.length > 1 ? reads.shift() : reads[0]),
        "POST flows/acme/requests/redo": refused,
      },
    );
    await userEvent.click(await screen.findByRole("button", { name: "Redo…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    await userEvent.type(dialog.getByRole("textbox"), "again");
    await userEvent.click(dialog.getByRole("button", { name: "Redo it" }));
    expect(await dialog.findByText("Read 10:02.")).toBeTruthy();
    await userEvent.click(dialog.getByRole("button", { name: "Book it twice" }));
    await waitFor(() => {
      expect(calls.filter(({ method }) => method === "POST").map(({ json }) => json)).toEqual(
        lives.map(({ last_changed }) => ({ uuids: ["u1"], why: "again", seen: { u1: last_changed } })),
      );
    });
  });

  test("is not offered to who may only look", async () => {
    open({ ...DOUBT, rights: viewer, payloads: [{ kind: "request", number: 1, data: { email: "***" } }] });
    expect(await screen.findByText("Personal data is masked.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Redo|booked|Reveal/ })).toBeNull();
  });
});

describe("revealing", () => {
  const masked = [{ kind: "request", number: 1, data: { email: "***" } }];
  const shown = [{ kind: "request", number: 1, data: { email: "a@example.org" } }];

  test("asks why, shows the data, reads the history anew, can be taken back, and loses no focus", async () => {
    const { calls } = open({ payloads: masked }, { [`POST ${PATH}/reveal`]: { payloads: shown } });
    await userEvent.click(await screen.findByRole("button", { name: "Reveal personal data…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    await userEvent.type(dialog.getByRole("textbox"), "The customer calls");
    await userEvent.click(dialog.getByRole("button", { name: "Reveal" }));
    expect(await screen.findByText('"a@example.org"')).toBeTruthy();
    expect(calls.find(({ method }) => method === "POST")?.json).toEqual({ why: "The customer calls" });
    expect(calls.filter(({ path }) => path === PATH)).toHaveLength(2);
    const mask = screen.getByRole("button", { name: "Mask it again" });
    await waitFor(() => {
      expect(document.activeElement).toBe(mask);
    });
    await userEvent.click(mask);
    expect(screen.queryByText('"a@example.org"')).toBeNull();
    await waitFor(() => {
      expect(document.activeElement?.textContent).toBe("Reveal personal data…");
    });
  });
});

test("a request opened from the list has the focus on its name, and its way back leads to that list", async () => {
  const row = aLife({ uuid: "u1" });
  serve({
    [`GET ${PATH}`]: row,
    "GET requests": { requests: [row], next: null, counts: { failed: 1 } },
    "GET flows": flowList(),
  });
  const router = show("?state=failed&text=47");
  await userEvent.click(await screen.findByRole("link", { name: "4701" }));
  expect(document.activeElement).toBe(await screen.findByRole("heading", { name: "Request 4701" }));
  await userEvent.click(await screen.findByRole("link", { name: /Requests/ }));
  expect(router.state.location.search).toBe("?state=failed&text=47");
});
