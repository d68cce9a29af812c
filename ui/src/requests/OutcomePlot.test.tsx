import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";

import { flowList, serve, show } from "./fakeServer";
import { aRow } from "./made";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
});

const LIST = { requests: [aRow()], next: null, counts: { failed: 1 } };
const ready = () => screen.findByRole("link", { name: "4701" });

describe("the plot", () => {
  const none = { done: 0, failed: 0, in_doubt: 0, parked: 0, postponed: 0 };
  const OUTCOMES = {
    from: "2026-03-24T10:00:00Z",
    to: "2026-03-24T12:00:00Z",
    bucket_s: 3600,
    buckets: [
      { at: "2026-03-24T10:00:00Z", counts: { ...none, done: 3, failed: 1 } },
      { at: "2026-03-24T11:00:00Z", counts: { ...none, done: 2 } },
    ],
  };

  test("says its sums, is read bar by bar with arrow keys, and leads to a bar's requests", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList(), "GET requests/outcomes": OUTCOMES });
    const router = show();
    const plot = await screen.findByRole("img", { name: /5 done, 1 failed/ });
    plot.focus();
    await userEvent.keyboard("{Home}");
    expect(screen.getByRole("status").textContent).toContain("3 done, 1 failed");
    await userEvent.keyboard("{Enter}");
    const params = new URLSearchParams(router.state.location.search);
    expect([params.get("from"), params.get("to")]).toEqual([
      "2026-03-24T10:00:00.000Z",
      "2026-03-24T11:00:00.000Z",
    ]);
  });

  test("says that it counts outcomes, from yesterday until now", async () => {
    const day = { ...OUTCOMES, from: "2026-03-23T12:00:00Z" };
    localStorage.setItem("timezone", JSON.stringify("UTC"));
    serve({ "GET requests": LIST, "GET flows": flowList(), "GET requests/outcomes": day });
    show();
    expect(await screen.findByText("Outcomes of the last 24 hours: 5 done, 1 failed")).toBeTruthy();
    expect(screen.getByText("yesterday 12:00")).toBeTruthy();
    expect(screen.getByText("now")).toBeTruthy();
  });

  test.each(["?text=47", "?state=failed", "?from=2026-03-24T10:00:00Z"])(
    "is not there beside a list that it would contradict: %s",
    async (search) => {
      const calls = serve({
        "GET requests": LIST,
        "GET flows": flowList(),
        "GET requests/outcomes": OUTCOMES,
      });
      const router = show(search);
      await ready();
      expect(screen.queryByRole("img")).toBeNull();
      expect(calls.some(({ path }) => path.includes("outcomes"))).toBe(false);
      await act(() => router.navigate("?flow=acme&last=7d"));
      expect(await screen.findByRole("img")).toBeTruthy();
    },
  );

  test("leaves the focus to the page's heading when a bar is chosen", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList(), "GET requests/outcomes": OUTCOMES });
    show();
    (await screen.findByRole("img")).focus();
    await userEvent.keyboard("{Enter}");
    expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Requests" }));
  });

  test("has a table of the same", async () => {
    serve({ "GET requests": LIST, "GET flows": flowList(), "GET requests/outcomes": OUTCOMES });
    show();
    await userEvent.click(await screen.findByText("As a table"));
    const [table] = screen.getAllByRole("table");
    expect(table?.textContent).toContain("failed");
    expect(within(table ?? document.body).getAllByRole("row")).toHaveLength(3);
  });

  test("is not there while nothing has ended", async () => {
    const buckets = [{ at: "2026-03-24T10:00:00Z", counts: none }];
    serve({
      "GET requests": LIST,
      "GET flows": flowList(),
      "GET requests/outcomes": { ...OUTCOMES, buckets },
    });
    show();
    await ready();
    expect(screen.queryByRole("img")).toBeNull();
  });
});
