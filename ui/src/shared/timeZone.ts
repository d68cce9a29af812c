/** The time zone that the reader has chosen in Airflow, and the clock there. */
import { useSyncExternalStore } from "react";

const CHOSEN = "timezone"; // Airflow's own name for it: a JSON text
const CHANGED = ["storage", "local-storage"]; // another tab's choice, and Airflow's own in this one
const MINUTE_MS = 60_000;

const readersOwn = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Airflow's choice; where there is none, or none that the browser knows: where the reader is. */
export function timeZone(): string {
  try {
    const chosen: unknown = JSON.parse(localStorage.getItem(CHOSEN) ?? "null");
    if (typeof chosen !== "string") return readersOwn();
    clockOf(chosen);
    return chosen;
  } catch {
    return readersOwn();
  }
}

function subscribe(notify: () => void) {
  for (const event of CHANGED) window.addEventListener(event, notify);
  return () => {
    for (const event of CHANGED) window.removeEventListener(event, notify);
  };
}

export const useTimeZone = () => useSyncExternalStore(subscribe, timeZone);

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than using it. */
function clockOf(zone: string): Intl.DateTimeFormat {
  const made =
    clocks.get(zone) ??
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  clocks.set(zone, made);
  return made;
}

export interface Clock {
  /** "2026-03-24" */
  date: string;
  /** "19:46" */
  time: string;
  seconds: string;
}

/** What calendar and clock show in a zone. */
export function clockAt(at: Date, zone: string): Clock {
  const parts = Object.fromEntries(
    clockOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const { year = "", month = "", day = "", hour = "", minute = "", second = "" } = parts;
  return { date: `${year.padStart(4, "0")}-${month}-${day}`, time: `${hour}:${minute}`, seconds: second };
}

/** When a clock in a zone shows this; of a time that is passed over or comes twice, one beside it. */
export function whenShown(text: string, zone: string): Date {
  const shown = Date.parse(`${text}Z`);
  const ahead = (at: number) => {
    const { date, time } = clockAt(new Date(at), zone);
    return Date.parse(`${date}T${time}Z`) - Math.floor(at / MINUTE_MS) * MINUTE_MS;
  };
  const near = shown - ahead(shown);
  return new Date(shown - ahead(near));
}
