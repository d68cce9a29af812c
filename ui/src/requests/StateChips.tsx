import { Button, HStack, Span } from "@chakra-ui/react";

import { paletteOf, wordsOf } from "../shared/StateBadge";
import { REQUEST_STATES, type RequestState } from "./types";

interface Asked {
  counts: Partial<Record<RequestState, number>>;
  chosen: RequestState[];
  onChoose: (states: RequestState[]) => void;
}

/** How many are in each state; a press shows only these, and another state can be added to it. */
export const StateChips = ({ counts, chosen, onChoose }: Asked) => {
  const shown = REQUEST_STATES.filter((state) => (counts[state] ?? 0) > 0 || chosen.includes(state));
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (
    <HStack aria-label="States" flexWrap="wrap" gap={1.5} role="group">
      <Chip
        chosen={chosen.length === 0}
        count={all}
        onPress={() => {
          onChoose([]);
        }}
        palette="gray"
        words="all"
      />
      {shown.map((state) => (
        <Chip
          chosen={chosen.includes(state)}
          count={counts[state] ?? 0}
          key={state}
          onPress={() => {
            onChoose(chosen.includes(state) ? chosen.filter((one) => one !== state) : [...chosen, state]);
          }}
          palette={paletteOf(state)}
          words={wordsOf(state)}
        />
      ))}
    </HStack>
  );
};

interface Pressed {
  words: string;
  count: number;
  chosen: boolean;
  palette: string;
  onPress: () => void;
}

const Chip = ({ words, count, chosen, palette, onPress }: Pressed) => (
  <Button
    aria-pressed={chosen}
    borderRadius="full"
    colorPalette={palette}
    onClick={onPress}
    outline={chosen ? "2px solid" : undefined}
    outlineColor={chosen ? "colorPalette.solid" : undefined}
    size="xs"
    variant="subtle"
  >
    {words}{" "}
    <Span fontVariantNumeric="tabular-nums" fontWeight="bold">
      {count}
    </Span>
  </Button>
);
