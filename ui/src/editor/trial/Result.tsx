import { Alert, Badge, Box, chakra, HStack, Stack, Table, Text } from "@chakra-ui/react";

import { CodeEditor } from "../../code/CodeEditor";
import type { Attempted } from "../../types";
import { pretty } from "./inputs";

const Title = ({ children }: { children: string }) => (
  <Text color="fg.muted" fontFamily="mono" fontSize="xs">
    {children}
  </Text>
);

/** What a step made of its input, as the document's result panel shows it. */
export const Result = ({
  result,
  label,
  height = "14rem",
}: {
  result: Attempted;
  label: string;
  height?: string;
}) => (
  <Stack gap={2}>
    <HStack gap={2}>
      <Badge colorPalette={result.error === null ? "success" : "failed"}>
        {result.error === null ? "ran" : "error"}
      </Badge>
      {result.attributes.relation !== undefined && <Badge>relation: {result.attributes.relation}</Badge>}
      <Text color="fg.muted" fontSize="xs">
        {Math.round(result.took_ms)} ms
      </Text>
    </HStack>
    {result.error !== null && (
      <Alert.Root size="sm" status="error">
        <Alert.Indicator />
        <Alert.Title whiteSpace="pre-wrap">{result.error}</Alert.Title>
      </Alert.Root>
    )}
    <Title>result_data</Title>
    <CodeEditor
      height={height}
      label={`${label}: result_data`}
      language="json"
      readOnly
      value={pretty(result.result_data)}
    />
    <Title>attributes</Title>
    <Attributes attributes={result.attributes} />
    <Printed result={result} />
  </Stack>
);

export const Attributes = ({ attributes }: { attributes: Record<string, string> }) => {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return <Text fontSize="sm">none</Text>;
  return (
    <Box
      borderRadius="md"
      borderWidth="1px"
      maxHeight="14rem"
      overflow="auto"
      role="region"
      aria-label="attributes"
      tabIndex={0}
    >
      <Table.Root size="sm">
        <Table.Body>
          {names.map((name) => (
            <Table.Row key={name}>
              <Table.Cell fontFamily="mono" fontSize="xs" verticalAlign="top">
                {name}
              </Table.Cell>
              <Table.Cell
                color={name.endsWith(".error") ? "red.fg" : undefined}
                fontFamily="mono"
                fontSize="xs"
                whiteSpace="pre-wrap"
                wordBreak="break-word"
              >
                {attributes[name]}
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
    </Box>
  );
};

const Printed = ({ result: { printed, log } }: { result: Attempted }) => {
  const lines = [
    ...(printed === "" ? [] : [printed.trimEnd()]),
    ...log.map(([level, text]) => `${level}: ${text}`),
  ];
  if (lines.length === 0) return null;
  return (
    <>
      <Title>printed and logged</Title>
      <chakra.pre
        bg="bg.subtle"
        borderRadius="md"
        fontSize="xs"
        maxHeight="10rem"
        overflow="auto"
        p={2}
        tabIndex={0}
        whiteSpace="pre-wrap"
      >
        {lines.join("\n")}
      </chakra.pre>
    </>
  );
};
