import { chakra } from "@chakra-ui/react";

import { clockAt, useTimeZone } from "./timeZone";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "5 minutes ago", "in 2 hours". */
export function relative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

/** "2026-03-24 19:46:31" on a clock in this zone. */
export function absolute(at: Date, zone: string): string {
  const { date, time, seconds } = clockAt(at, zone);
  return `${date} ${time}:${seconds}`;
}

/** A time: how long ago, or the clock's in the zone chosen in Airflow; the other one is its title. */
export const Time = ({ at, exact = false }: { at: string | null | undefined; exact?: boolean }) => {
  const zone = useTimeZone();
  if (at === null || at === undefined) return <chakra.span color="fg.muted">–</chakra.span>;
  const date = new Date(at);
  // oxlint-disable-next-line react/purity -- as of this rendering is what a reader expects
  const texts = [relative(date, new Date()), absolute(date, zone)];
  if (exact) texts.reverse();
  return (
    <chakra.time dateTime={at} title={texts[1]} whiteSpace="nowrap">
      {texts[0]}
    </chakra.time>
  );
};
