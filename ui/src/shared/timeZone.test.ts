import { act, cleanup, render } from "@testing-library/react";
import { createElement } from "react";
import { afterEach, describe, expect, test } from "vitest";

import { clockAt, timeZone, useTimeZone, whenShown } from "./timeZone";

afterEach(() => {
  cleanup();
  localStorage.clear();
});

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const Shown = () => useTimeZone();
const choose = (zone: string) => {
  localStorage.setItem("timezone", JSON.stringify(zone));
};

describe("the time zone", () => {
  test("is the one that was chosen in Airflow", () => {
    choose("Asia/Tokyo");
    expect(timeZone()).toBe("Asia/Tokyo");
  });

  test.each([null, "no json", '"No/Zone"', "7"])("is the reader's own where %s is chosen", (kept) => {
    if (kept !== null) localStorage.setItem("timezone", kept);
    expect(timeZone()).toBe(own);
  });

  test.each(["storage", "local-storage"])("is another one at once, as %s tells", (event) => {
    const { container } = render(createElement(Shown));
    choose("Asia/Tokyo");
    act(() => {
      window.dispatchEvent(new Event(event));
    });
    expect(container.textContent).toBe("Asia/Tokyo");
  });
});

test("a clock shows what it shows there, at midnight and across the date, too", () => {
  const at = new Date("2026-03-24T22:30:05Z");
  expect(clockAt(at, "Asia/Tokyo")).toEqual({ date: "2026-03-25", time: "07:30", seconds: "05" });
  expect(clockAt(new Date("2026-03-24T15:00:00Z"), "Asia/Tokyo").time).toBe("00:00");
});

test.each([
  ["2026-03-24T09:00", "Asia/Tokyo", "2026-03-24T00:00:00.000Z"],
  ["2026-03-29T03:30", "Europe/Berlin", "2026-03-29T01:30:00.000Z"],
  ["2026-10-25T03:30", "Europe/Berlin", "2026-10-25T02:30:00.000Z"],
  ["2026-03-29T01:30", "Europe/Berlin", "2026-03-29T00:30:00.000Z"],
])("%s on a clock in %s is %s", (text, zone, iso) => {
  expect(whenShown(text, zone).toISOString()).toBe(iso);
});
