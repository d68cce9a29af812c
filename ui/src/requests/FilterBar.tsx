import {
  Button,
  CloseButton,
  Field,
  HStack,
  Input,
  InputGroup,
  NativeSelect,
  VisuallyHidden,
} from "@chakra-ui/react";
import { useEffect, useState } from "react";

import { useTimeZone } from "../shared/timeZone";
import { fromField, isFiltered, toField, WINDOWS, type Filters, type Window } from "./filters";

const WORDS: Record<Window, string> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};
const BETWEEN = "between";
const TYPED_MS = 300;

interface Asked {
  filters: Filters;
  /** The flows that can be chosen; null: the list is bound to one. */
  flows: string[] | null;
  onChange: (change: Partial<Filters>, options?: { replace: boolean }) => void;
}

export const FilterBar = ({ filters, flows, onChange }: Asked) => (
  <HStack align="end" aria-label="Filters" as="form" flexWrap="wrap" gap={2} onSubmit={stay} role="search">
    <Search
      onSearch={(text) => {
        onChange({ text }, { replace: true });
      }}
      text={filters.text}
    />
    {flows !== null && (
      <Choice
        label="Flow"
        onChoose={(flow) => {
          onChange({ flow: flow === "" ? null : flow });
        }}
        options={[["", "All flows"], ...withOwn(flows, filters.flow).map((id): [string, string] => [id, id])]}
        value={filters.flow ?? ""}
      />
    )}
    <Times filters={filters} onChange={onChange} />
    {isFiltered(filters) && (
      <Button
        onClick={() => {
          onChange({ flow: null, states: [], text: "", last: null, from: null, to: null });
        }}
        size="sm"
        variant="ghost"
      >
        Clear filters
      </Button>
    )}
  </HStack>
);

const stay = (event: { preventDefault: () => void }) => {
  event.preventDefault();
};

const withOwn = (flows: string[], own: string | null) =>
  own === null || flows.includes(own) ? flows : [own, ...flows];

/** Asks when one stops typing. What it asked for itself comes back as `text` and changes nothing; "back" does. */
const Search = ({ text, onSearch }: { text: string; onSearch: (text: string) => void }) => {
  const [typed, setTyped] = useState(text);
  const [asked, setAsked] = useState(text);
  const [seen, setSeen] = useState(text);
  if (text !== seen) {
    setSeen(text);
    setAsked(text);
    if (text !== asked) setTyped(text);
  }
  useEffect(() => {
    if (typed.trim() === asked) return;
    const timer = setTimeout(() => {
      setAsked(typed.trim());
      onSearch(typed.trim());
    }, TYPED_MS);
    return () => {
      clearTimeout(timer);
    };
  });
  return (
    <Field.Root flex="1 1 15rem" maxWidth="24rem" width="auto">
      <Field.Label srOnly>Search</Field.Label>
      <InputGroup
        endElement={
          typed === "" ? undefined : (
            <CloseButton
              aria-label="Clear the search"
              me={-2}
              onClick={() => {
                setTyped("");
              }}
              size="2xs"
            />
          )
        }
      >
        <Input
          aria-label="Search"
          onChange={(event) => {
            setTyped(event.target.value);
          }}
          placeholder="Id, uuid, order number or SKU"
          size="sm"
          value={typed}
        />
      </InputGroup>
    </Field.Root>
  );
};

interface Choosing {
  label: string;
  value: string;
  options: [string, string][];
  onChoose: (value: string) => void;
}

const Choice = ({ label, value, options, onChoose }: Choosing) => (
  <NativeSelect.Root maxWidth="14rem" size="sm" width="auto">
    <NativeSelect.Field
      aria-label={label}
      onChange={(event) => {
        onChoose(event.target.value);
      }}
      value={value}
    >
      {options.map(([name, words]) => (
        <option key={name} value={name}>
          {words}
        </option>
      ))}
    </NativeSelect.Field>
    <NativeSelect.Indicator />
  </NativeSelect.Root>
);

/** When it changed last: a window that goes with the clock, or between two times. */
const Times = ({ filters, onChange }: Omit<Asked, "flows">) => {
  const [open, setOpen] = useState(false);
  const between = filters.last === null && (open || filters.from !== null || filters.to !== null);
  return (
    <>
      <Choice
        label="Changed"
        onChoose={(value) => {
          setOpen(value === BETWEEN);
          const last = value in WINDOWS ? (value as Window) : null;
          onChange({ last, from: null, to: null });
        }}
        options={[["", "Any time"], ...Object.entries(WORDS), [BETWEEN, "Between two times"]]}
        value={filters.last ?? (between ? BETWEEN : "")}
      />
      {between && (
        <HStack gap={1}>
          <Moment
            label="From"
            onChange={(from) => {
              onChange({ from }, { replace: true });
            }}
            value={filters.from}
          />
          <VisuallyHidden>to</VisuallyHidden>
          <Moment
            label="To"
            onChange={(to) => {
              onChange({ to }, { replace: true });
            }}
            value={filters.to}
          />
        </HStack>
      )}
    </>
  );
};

interface Timed {
  label: string;
  value: string | null;
  onChange: (at: string | null) => void;
}

const Moment = ({ label, value, onChange }: Timed) => {
  const zone = useTimeZone();
  return (
    <Input
      aria-label={label}
      onChange={(event) => {
        onChange(fromField(event.target.value, zone));
      }}
      size="sm"
      title={`A time in ${zone}, as chosen in Airflow`}
      type="datetime-local"
      value={toField(value, zone)}
      width="auto"
    />
  );
};
