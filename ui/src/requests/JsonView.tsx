import { Box, chakra, Clipboard, HStack, IconButton, Span } from "@chakra-ui/react";

import type { Json } from "../types";

const MASK = "***";
/** Deeper levels begin folded. */
const OPEN_LEVELS = 4;
/** Longer lists begin folded. */
const OPEN_ITEMS = 30;

/** A body: pretty, its objects and lists can be folded, and it can be copied. */
export const JsonView = ({ data, label }: { data: Json; label: string }) => {
  const shown = readable(data);
  return (
    <Box bg="bg.subtle" borderRadius="md" borderWidth="1px" position="relative">
      <Copy label={label} text={typeof shown === "string" ? shown : JSON.stringify(shown, null, 2)} />
      <Box
        aria-label={label}
        fontFamily="mono"
        fontSize="xs"
        maxHeight="24rem"
        overflow="auto"
        overflowWrap="anywhere"
        p={3}
        pe={10}
        role="group"
        tabIndex={0}
        whiteSpace="pre-wrap"
      >
        <Value end="" level={0} value={shown} />
      </Box>
    </Box>
  );
};

const Copy = ({ label, text }: { label: string; text: string }) => (
  <Clipboard.Root position="absolute" right={1.5} top={1.5} value={text} zIndex={1}>
    <Clipboard.Trigger asChild>
      <IconButton aria-label={`Copy ${label}`} size="2xs" variant="surface">
        <Clipboard.Indicator />
      </IconButton>
    </Clipboard.Trigger>
  </Clipboard.Root>
);

/** Bodies that are texts of JSON are shown as what they say; an answer, which is kept as both, once. */
export function readable(data: Json): Json {
  if (typeof data === "string") return parsed(data);
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  if (typeof data.body === "string") return { ...data, body: parsed(data.body) };
  if (typeof data.text !== "string" || typeof data.data !== "object" || data.data === null) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== "text"));
}

function parsed(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null ? value : text;
  } catch {
    return text;
  }
}

interface Placed {
  level: number;
  /** What follows: a comma between two, nothing after the last. */
  end: string;
}

const Value = ({ value, ...place }: Placed & { value: Json }) => {
  if (Array.isArray(value))
    return <Folded brackets="[]" entries={value.map((item) => ["", item])} what="items" {...place} />;
  if (typeof value === "object" && value !== null)
    return <Folded brackets="{}" entries={Object.entries(value)} what="fields" {...place} />;
  return (
    <>
      <Plain value={value} />
      {place.end}
    </>
  );
};

interface Held extends Placed {
  entries: [string, Json][];
  brackets: "{}" | "[]";
  what: string;
}

const Folded = ({ entries, brackets, level, end, what }: Held) => {
  const [open, close] = [brackets[0], `${brackets[1] ?? ""}${end}`];
  if (entries.length === 0) return `${brackets}${end}`;
  return (
    <chakra.details
      css={{ "&[open] > summary > .folded": { display: "none" } }}
      display="inline"
      open={level < OPEN_LEVELS && entries.length <= OPEN_ITEMS}
    >
      <chakra.summary cursor="pointer" display="inline-block">
        {open}
        <Span className="folded" color="fg.muted">
          {" "}
          {entries.length} {what} {close}
        </Span>
      </chakra.summary>
      <Box ps={4}>
        {entries.map(([name, item], index) => (
          <div key={name === "" ? index : name}>
            {brackets === "{}" && <Span color="fg.info">{JSON.stringify(name)}: </Span>}
            <Value end={index < entries.length - 1 ? "," : ""} level={level + 1} value={item} />
          </div>
        ))}
      </Box>
      {close}
    </chakra.details>
  );
};

const Plain = ({ value }: { value: string | number | boolean | null }) => {
  if (typeof value === "string" && value.includes(MASK))
    return (
      <Span color="fg.muted" fontStyle="italic" title="Personal data, masked">
        {JSON.stringify(value)}
      </Span>
    );
  if (typeof value === "string") return <Span color="fg.success">{JSON.stringify(value)}</Span>;
  return <Span color="purple.fg">{String(value)}</Span>;
};

/** What a line shows while its body is folded. */
export const Fold = ({ title, children }: { title: string; children: React.ReactNode }) => (
  <chakra.details mt={1}>
    <chakra.summary color="fg.info" cursor="pointer" fontSize="sm" width="fit-content">
      <HStack as="span" display="inline-flex">
        {title}
      </HStack>
    </chakra.summary>
    <Box mt={1}>{children}</Box>
  </chakra.details>
);
