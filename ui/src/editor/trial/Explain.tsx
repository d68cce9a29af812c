import { Badge, Box, chakra, Heading, Stack, Table, Text } from "@chakra-ui/react";

import type { Explained } from "../../types";
import { pretty } from "./inputs";

interface Field {
  path: string;
  operation: number;
  name: string;
  rule: string;
  sources: string[];
}

interface Rule {
  operation: number;
  name: string;
  rule: string;
}

interface Operation {
  operation: number;
  name: string;
  result?: never;
  error?: string;
}

const listOf = <T,>(value: unknown) => (Array.isArray(value) ? (value as T[]) : []);

/** How a mapping came to its result: what wrote each field, which rules met nothing, what each operation left. */
export const Explain = ({ explain }: { explain: Explained }) => {
  const fields = listOf<Field>(explain.fields);
  const unmatched = listOf<Rule>(explain.unmatched);
  const operations = listOf<Operation>(explain.operations);
  return (
    <Stack gap={3}>
      <Stack gap={1}>
        <Heading as="h4" size="xs">
          Which rule wrote each field
        </Heading>
        <Box
          aria-label="Which rule wrote each field"
          borderRadius="md"
          borderWidth="1px"
          maxHeight="18rem"
          overflow="auto"
          role="region"
          tabIndex={0}
        >
          <Table.Root size="sm" stickyHeader>
            <Table.Header>
              <Table.Row>
                <Table.ColumnHeader>Field</Table.ColumnHeader>
                <Table.ColumnHeader>Operation</Table.ColumnHeader>
                <Table.ColumnHeader>Rule</Table.ColumnHeader>
                <Table.ColumnHeader>From</Table.ColumnHeader>
              </Table.Row>
            </Table.Header>
            <Table.Body fontFamily="mono" fontSize="xs">
              {fields.map((field) => (
                <Table.Row key={field.path}>
                  <Table.Cell>{field.path}</Table.Cell>
                  <Table.Cell>
                    {field.operation + 1} {field.name}
                  </Table.Cell>
                  <Table.Cell>{field.rule.replace(/^spec\.?/, "")}</Table.Cell>
                  <Table.Cell>{field.sources.join(", ")}</Table.Cell>
                </Table.Row>
              ))}
            </Table.Body>
          </Table.Root>
        </Box>
      </Stack>
      {unmatched.length > 0 && (
        <Stack gap={1}>
          <Heading as="h4" size="xs">
            Rules that met nothing <Badge colorPalette="warning">{unmatched.length}</Badge>
          </Heading>
          <Text fontFamily="mono" fontSize="xs">
            {unmatched
              .map(({ operation, rule }) => `${operation + 1} ${rule.replace(/^spec\.?/, "")}`)
              .join(" · ")}
          </Text>
        </Stack>
      )}
      <Stack gap={1}>
        <Heading as="h4" size="xs">
          What each operation left
        </Heading>
        {operations.map(({ operation, name, result, error }) => (
          <chakra.details key={operation}>
            <chakra.summary cursor="pointer" fontSize="sm">
              {operation + 1} {name} {error !== undefined && <Badge colorPalette="failed">error</Badge>}
            </chakra.summary>
            <chakra.pre
              bg="bg.subtle"
              borderRadius="md"
              fontSize="xs"
              maxHeight="16rem"
              overflow="auto"
              p={2}
              tabIndex={0}
            >
              {error ?? pretty(result)}
            </chakra.pre>
          </chakra.details>
        ))}
      </Stack>
    </Stack>
  );
};
