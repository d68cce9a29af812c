import { Box, chakra, Heading, Stack, Text } from "@chakra-ui/react";

import type { FileDiff } from "../types";

const toneOf = (line: string) => {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("@@")) return { color: "fg.muted" };
  if (line.startsWith("+")) return { bg: "green.subtle", color: "green.fg" };
  if (line.startsWith("-")) return { bg: "red.subtle", color: "red.fg" };
  return {};
};

/** A unified diff, coloured. */
export const Diff = ({ text, label = "Difference" }: { text: string; label?: string }) => (
  <Box
    aria-label={label}
    as="pre"
    borderRadius="md"
    borderWidth="1px"
    fontFamily="mono"
    fontSize="xs"
    maxHeight="24rem"
    overflow="auto"
    py={1}
    role="region"
    tabIndex={0}
  >
    {text
      .replace(/\n$/, "")
      .split("\n")
      .map((line, index) => (
        <chakra.div key={index} minWidth="max-content" px={2} {...toneOf(line)}>
          {line || " "}
        </chakra.div>
      ))}
  </Box>
);

const kindOf = ({ before, after }: FileDiff) =>
  before === null ? "new" : after === null ? "removed" : "changed";

export const FileDiffs = ({ files }: { files: readonly FileDiff[] }) => (
  <Stack gap={3}>
    {files.length === 0 && <Text color="fg.muted">Nothing differs.</Text>}
    {files.map((file) => (
      <Stack gap={1} key={file.name}>
        <Heading as="h3" fontFamily="mono" size="xs">
          {file.name} <chakra.span color="fg.muted">{kindOf(file)}</chakra.span>
        </Heading>
        <Diff label={`Difference in ${file.name}`} text={file.diff} />
      </Stack>
    ))}
  </Stack>
);
