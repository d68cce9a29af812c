import { Button, CloseButton, HStack, Input, Stack } from "@chakra-ui/react";
import { useState } from "react";

export type Pair = [name: string, value: string];

/** Rows of a name and a text. A row without a name is kept on the page only. */
export const Pairs = ({
  pairs,
  onChange,
  add,
  what,
  disabled = false,
}: {
  pairs: readonly Pair[];
  onChange: (pairs: Pair[]) => void;
  add: string;
  what: string;
  disabled?: boolean;
}) => {
  const [rows, setRows] = useState<Pair[]>([...pairs]);
  const shown = named(rows).join() === pairs.join() ? rows : [...pairs];
  const put = (next: Pair[]) => {
    setRows(next);
    onChange(named(next));
  };
  const change = (at: number, pair: Pair) => {
    put(shown.map((old, index) => (index === at ? pair : old)));
  };
  return (
    <Stack gap={1}>
      {shown.map(([name, value], index) => (
        <HStack gap={1} key={index}>
          <Input
            aria-label={`${what}: name ${index + 1}`}
            disabled={disabled}
            flex="1"
            onChange={({ target }) => {
              change(index, [target.value, value]);
            }}
            placeholder="name"
            size="xs"
            value={name}
          />
          <Input
            aria-label={`${what}: value ${index + 1}`}
            disabled={disabled}
            flex="1"
            onChange={({ target }) => {
              change(index, [name, target.value]);
            }}
            placeholder="value"
            size="xs"
            value={value}
          />
          <CloseButton
            aria-label={`Remove ${name || "this row"}`}
            disabled={disabled}
            onClick={() => {
              put(shown.filter((_, at) => at !== index));
            }}
            size="xs"
          />
        </HStack>
      ))}
      <Button
        alignSelf="start"
        disabled={disabled}
        onClick={() => {
          put([...shown, ["", ""]]);
        }}
        size="xs"
        variant="outline"
      >
        {add}
      </Button>
    </Stack>
  );
};

const named = (rows: readonly Pair[]) => rows.filter(([name]) => name !== "");
