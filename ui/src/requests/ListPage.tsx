import { Box, Button, Heading, HStack, Link, Span, Stack, Text } from "@chakra-ui/react";
import { type RefObject, useRef, useState } from "react";
import { Link as RouterLink, useSearchParams } from "react-router-dom";

import { EmptyState } from "../shared/EmptyState";
import { ErrorNote } from "../shared/ErrorNote";
import { Loading } from "../shared/Loading";
import { useFocusAfter, useRefocus } from "../shared/useRefocus";
import { complain } from "../toaster";
import type { FlowList } from "../types";
import type { Outcomes } from "./types";
import { useApi } from "../useApi";
import { counted, readConsequences, type Consequence } from "./consequences";
import { FilterBar } from "./FilterBar";
import {
  choiceOf,
  isFiltered,
  isPlotted,
  outcomesPath,
  readFilters,
  withFilters,
  type Filters,
  type Place,
} from "./filters";
import { OutcomePlot } from "./OutcomePlot";
import { RedoDialog } from "./RedoDialog";
import { RequestTable } from "./RequestTable";
import { useSelection, type Selection } from "./selection";
import { StateChips } from "./StateChips";
import { Trouble } from "./Trouble";
import { useNow } from "./useNow";
import { useRequests, type Requests } from "./useRequests";

/** The requests that the address asks for, and what can be done with them. */
export const ListPage = (place: Place) => {
  const [params, setParams] = useSearchParams();
  const now = useNow();
  const filters = readFilters(params);
  const requests = useRequests(filters, place, now);
  const flows = useApi<FlowList>("flows").data?.flows;
  const selection = useSelection();
  const heading = useRef<HTMLHeadingElement>(null);
  const choose = (change: Partial<Filters>, options?: { replace: boolean }) => {
    setParams(withFilters(params, change), options);
  };

  return (
    <Stack gap={3} maxWidth="100rem" mx="auto">
      <HStack justify="space-between">
        <Heading as="h1" ref={heading} size="lg" tabIndex={-1}>
          {place.runId === undefined ? "Requests" : "Requests of this run"}
        </Heading>
        <Button onClick={requests.reload} size="sm" variant="outline">
          Refresh
        </Button>
      </HStack>
      <FilterBar
        filters={filters}
        flows={place.dagId === undefined ? (flows ?? []).map(({ id }) => id) : null}
        onChange={choose}
      />
      {isPlotted(filters) && (
        <Plot
          filters={filters}
          onChoose={(change) => {
            choose(change);
            heading.current?.focus(); // the plot, which had it, goes
          }}
          place={place}
        />
      )}
      <Found
        choose={choose}
        filters={filters}
        heading={heading}
        mayRedo={(flow) => flows?.find(({ id }) => id === flow)?.rights.redo ?? false}
        place={place}
        requests={requests}
        selection={selection}
      />
    </Stack>
  );
};

interface Plotted {
  filters: Filters;
  place: Place;
  onChoose: (change: Partial<Filters>) => void;
}

/** Nothing where nothing has ended: the list is what people come for. */
const Plot = ({ filters, place, onChoose }: Plotted) => {
  const path = outcomesPath(filters, place);
  const { data } = useApi<Outcomes>(path, { refreshMs: 30_000 });
  const [shown, setShown] = useState<Outcomes>();
  if (data !== undefined && data !== shown) setShown(data);
  const total = (shown?.buckets ?? []).flatMap(({ counts }) => Object.values(counts));
  if (shown === undefined || total.every((count) => count === 0)) return null;
  return (
    <OutcomePlot
      onChoose={(from, to) => {
        onChoose({ last: null, from, to });
      }}
      outcomes={shown}
    />
  );
};

interface Listed {
  requests: Requests;
  filters: Filters;
  place: Place;
  selection: Selection;
  heading: RefObject<HTMLElement | null>;
  mayRedo: (flow: string) => boolean;
  choose: (change: Partial<Filters>) => void;
}

const Found = ({ requests, filters, place, selection, heading, mayRedo, choose }: Listed) => {
  const { rows, answer, waiting, stale, error, reload, showNewest } = requests;
  if (answer === undefined || (stale && error !== undefined))
    return error === undefined ? (
      <Loading what="Loading requests" />
    ) : (
      <Trouble error={error} retry={reload} />
    );
  return (
    <Stack aria-busy={stale} gap={3} opacity={stale ? 0.6 : 1}>
      {error !== undefined && <ErrorNote error={error} retry={reload} title="Not up to date" />}
      <Box aria-live="polite">
        <StateChips
          chosen={filters.states}
          counts={answer.counts}
          onChoose={(states) => {
            choose({ states });
          }}
        />
        {waiting > 0 && (
          <Button mt={3} onClick={showNewest} size="xs" variant="surface" width="100%">
            {counted(waiting)} changed or came since. Show the newest
          </Button>
        )}
      </Box>
      {rows.length === 0 ? (
        <Nothing filters={filters} place={place} />
      ) : (
        <RequestTable
          mayRedo={mayRedo}
          ofOneFlow={place.dagId !== undefined || filters.flow !== null}
          rows={rows}
          selection={selection}
        />
      )}
      <Pages choose={choose} filters={filters} next={answer.next} shown={rows.length} />
      <Chosen
        heading={heading}
        key={choiceOf(filters, place)}
        onDone={reload}
        requests={requests}
        selection={selection}
      />
    </Stack>
  );
};

const Nothing = ({ filters, place }: { filters: Filters; place: Place }) => {
  if (isFiltered(filters))
    return <EmptyState title="No request matches">Take a filter back, or look at a longer time.</EmptyState>;
  if (place.runId !== undefined)
    return (
      <EmptyState title="This run took up no request">
        A run that finds nothing new has only the tasks login, get_data and report. What a later run took over
        stands there; dry runs stand in their task logs alone; and a DAG that is no flow has no requests at
        all.
      </EmptyState>
    );
  return (
    <EmptyState title="No request has been seen yet">
      Run a flow: choose one under{" "}
      <Link asChild color="fg.info">
        <RouterLink to="/plugin/flows">Flows</RouterLink>
      </Link>
      , switch its DAG on, and trigger it. What Omnitron lists for it then stands here.
    </EmptyState>
  );
};

interface Paged {
  filters: Filters;
  next: string | null;
  shown: number;
  choose: (change: Partial<Filters>) => void;
}

const Pages = ({ filters, next, shown, choose }: Paged) => {
  if (filters.after === null && next === null) return null;
  return (
    <HStack as="nav" aria-label="Pages" justify="space-between">
      <Text color="fg.muted" fontSize="sm">
        {counted(shown)} shown
      </Text>
      <HStack>
        {filters.after !== null && (
          <Button
            onClick={() => {
              choose({ after: null });
            }}
            size="sm"
            variant="outline"
          >
            Newest
          </Button>
        )}
        <Button
          disabled={next === null}
          onClick={() => {
            choose({ after: next });
          }}
          size="sm"
          variant="outline"
        >
          Older
        </Button>
      </HStack>
    </HStack>
  );
};

/** What can be done with the chosen rows; stays in view. */
const Chosen = ({
  requests,
  selection,
  heading,
  onDone,
}: Pick<Listed, "heading" | "requests" | "selection"> & { onDone: () => void }) => {
  const [reading, setReading] = useState(false);
  const [asked, setAsked] = useState<Consequence[]>([]);
  const [open, setOpen] = useState(false);
  const chosen = selection.among(requests.rows);
  useRefocus(reading);
  useFocusAfter(chosen.length > 0, heading);
  const ask = async () => {
    setReading(true);
    try {
      const consequences = await readConsequences(chosen);
      setAsked(consequences);
      if (consequences.some(({ allowed }) => allowed)) setOpen(true);
      else complain("None of these can be redone", new Error(consequences.map(({ text }) => text).join(" ")));
    } catch (error) {
      complain("What a redo means could not be read", error);
    } finally {
      setReading(false);
    }
  };
  if (chosen.length === 0) return null;
  return (
    <HStack
      aria-label="Chosen requests"
      bg="bg.panel"
      borderRadius="md"
      borderWidth="1px"
      bottom={2}
      boxShadow="md"
      justify="space-between"
      p={2}
      position="sticky"
      role="region"
      zIndex="docked"
    >
      <Span ps={1}>{counted(chosen.length)} chosen</Span>
      <HStack>
        <Button onClick={selection.clear} size="sm" variant="ghost">
          Let go
        </Button>
        <Button colorPalette="brand" loading={reading} onClick={() => void ask()} size="sm">
          Redo…
        </Button>
      </HStack>
      <RedoDialog
        consequences={asked}
        open={open}
        onClose={() => {
          setOpen(false);
        }}
        onDone={() => {
          selection.clear();
          onDone();
        }}
      />
    </HStack>
  );
};
