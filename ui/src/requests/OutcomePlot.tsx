import { Box, chakra, HStack, Span, Table, Text, VisuallyHidden } from "@chakra-ui/react";
import { useState, type KeyboardEvent } from "react";

import { paletteOf, wordsOf } from "../shared/StateBadge";
import { useTimeZone } from "../shared/timeZone";
import type { Outcomes } from "./types";
import { countsInWords, OUTCOMES, stack, sum, tick, windowInWords, type Bar, type Shown } from "./plot";

const HEIGHT = 64;
const SLOT = 10;
const GAP = 2;
const fillOf = (state: string) => `${paletteOf(state)}.solid`;

interface Asked {
  outcomes: Outcomes;
  /** Show only the requests that changed within a bar's time. */
  onChoose?: (from: string, to: string) => void;
}

/** How requests ended over time: stacked bars, which arrow keys walk along, and a table of the same. */
export const OutcomePlot = ({ outcomes, onChoose }: Asked) => {
  const { bars, top } = stack(outcomes, HEIGHT);
  const span_s = (Date.parse(outcomes.to) - Date.parse(outcomes.from)) / 1000;
  const total = sum(outcomes);
  const words = countsInWords(total);
  const clock = { span_s, now: new Date(outcomes.to), zone: useTimeZone() };
  return (
    <Box as="figure" borderRadius="md" borderWidth="1px" p={2} pb={1}>
      <HStack as="figcaption" flexWrap="wrap" fontSize="xs" gap={3} justify="space-between" mb={1}>
        <Text color="fg.muted" title="A request that failed and was done later counts as both">
          Outcomes of the {windowInWords(span_s)}: {words}
        </Text>
        <HStack aria-hidden gap={3}>
          {OUTCOMES.filter((state) => total[state] > 0).map((state) => (
            <HStack gap={1} key={state}>
              <Box bg={fillOf(state)} borderRadius="xs" boxSize="0.6rem" />
              <Span color="fg.muted">{wordsOf(state)}</Span>
            </HStack>
          ))}
        </HStack>
      </HStack>
      <Bars bars={bars} label={`Outcomes over time: ${words}`} onChoose={onChoose} clock={clock} />
      <HStack color="fg.muted" fontSize="xs" fontVariantNumeric="tabular-nums" justify="space-between">
        <span>{tick(new Date(outcomes.from), clock)}</span>
        <span>highest: {top}</span>
        <span>now</span>
      </HStack>
      <chakra.details fontSize="xs">
        <chakra.summary color="fg.muted" cursor="pointer" width="fit-content">
          As a table
        </chakra.summary>
        <AsTable bars={bars} clock={clock} />
      </chakra.details>
    </Box>
  );
};

interface Drawn {
  bars: Bar[];
  label: string;
  clock: Shown;
  onChoose: Asked["onChoose"];
}

const Bars = ({ bars, label, clock, onChoose }: Drawn) => {
  const [hovered, setHovered] = useState<number | null>(null);
  const [focused, setFocused] = useState<number | null>(null);
  const filled = bars.flatMap(({ total }, index) => (total > 0 ? [index] : []));
  const shown = hovered ?? focused;
  const bar = shown === null ? undefined : bars[shown];
  const choose = (index: number | null) => {
    const chosen = index === null ? undefined : bars[index];
    if (chosen !== undefined && chosen.total > 0)
      onChoose?.(chosen.at.toISOString(), chosen.end.toISOString());
  };
  const press = (event: KeyboardEvent) => {
    const next = walk(event.key, filled, focused);
    if (next !== undefined) setFocused(next);
    else if (event.key === "Enter") choose(focused);
    else if (event.key === "Escape") setFocused(null);
    else return;
    event.preventDefault();
  };
  return (
    <Box position="relative">
      <chakra.svg
        aria-label={`${label}. Arrow keys read single bars${onChoose === undefined ? "" : ", Enter shows their requests"}.`}
        aria-roledescription="plot"
        display="block"
        height={`${HEIGHT}px`}
        onBlur={() => {
          setFocused(null);
        }}
        onFocus={() => {
          setFocused(filled.at(-1) ?? null);
        }}
        onKeyDown={press}
        onMouseLeave={() => {
          setHovered(null);
        }}
        preserveAspectRatio="none"
        role="img"
        tabIndex={0}
        viewBox={`0 0 ${Math.max(bars.length, 1) * SLOT} ${HEIGHT}`}
        width="100%"
      >
        {bars.map((each, index) => (
          <chakra.g
            cursor={each.total > 0 && onChoose !== undefined ? "pointer" : undefined}
            key={each.at.getTime()}
            onClick={() => {
              choose(index);
            }}
            onMouseEnter={() => {
              setHovered(index);
            }}
          >
            <chakra.rect
              fill={shown === index ? "bg.emphasized" : "transparent"}
              height={HEIGHT}
              width={SLOT}
              x={index * SLOT}
            />
            {each.parts.map(({ state, y, height }) => (
              <chakra.rect
                fill={fillOf(state)}
                height={height}
                key={state}
                width={SLOT - GAP}
                x={index * SLOT + GAP / 2}
                y={y}
              />
            ))}
          </chakra.g>
        ))}
        <chakra.rect fill="border" height={1} width="100%" y={HEIGHT - 1} />
      </chakra.svg>
      <VisuallyHidden role="status">
        {bar !== undefined && shown === focused && `${when(bar, clock)}: ${countsInWords(bar.counts)}`}
      </VisuallyHidden>
      {bar !== undefined && shown !== null && (
        <Tip bar={bar} left={((shown + 0.5) / bars.length) * 100} clock={clock} />
      )}
    </Box>
  );
};

/** The bar that a key leads to; undefined: the key means something else. */
function walk(key: string, filled: number[], at: number | null): number | undefined {
  const place = at === null ? filled.length : filled.indexOf(at);
  switch (key) {
    case "ArrowLeft":
      return filled[Math.max(place - 1, 0)];
    case "ArrowRight":
      return filled[Math.min(place + 1, filled.length - 1)];
    case "Home":
      return filled[0];
    case "End":
      return filled.at(-1);
    default:
      return undefined;
  }
}

const when = ({ at, end }: Bar, clock: Shown) => `${tick(at, clock)} to ${tick(end, clock)}`;

const Tip = ({ bar, left, clock }: { bar: Bar; left: number; clock: Shown }) => (
  <Box
    aria-hidden
    bg="bg.inverted"
    borderRadius="md"
    bottom="100%"
    color="fg.inverted"
    fontSize="xs"
    left={`clamp(5.5rem, ${left}%, calc(100% - 5.5rem))`}
    mb={1}
    pointerEvents="none"
    position="absolute"
    px={2}
    py={1}
    transform="translateX(-50%)"
    whiteSpace="nowrap"
    zIndex="tooltip"
  >
    <Text fontWeight="medium">{when(bar, clock)}</Text>
    <Text>{countsInWords(bar.counts)}</Text>
  </Box>
);

const AsTable = ({ bars, clock }: Pick<Drawn, "bars" | "clock">) => (
  <Table.ScrollArea maxHeight="16rem">
    <Table.Root size="sm">
      <Table.Header>
        <Table.Row>
          <Table.ColumnHeader>Time</Table.ColumnHeader>
          {OUTCOMES.map((state) => (
            <Table.ColumnHeader key={state} textAlign="end">
              {wordsOf(state)}
            </Table.ColumnHeader>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {bars
          .filter(({ total }) => total > 0)
          .map((bar) => (
            <Table.Row key={bar.at.getTime()}>
              <Table.Cell>{when(bar, clock)}</Table.Cell>
              {OUTCOMES.map((state) => (
                <Table.Cell key={state} textAlign="end">
                  {bar.counts[state]}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
      </Table.Body>
    </Table.Root>
  </Table.ScrollArea>
);
