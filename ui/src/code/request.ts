/** The request object's fields by path, and a sample of one. */
import type { Json, JsonObject } from "../types";
import { TABLES, type FieldRow } from "./requestTables";

/** The fields of the object at a path: `["order_item", "order"]` gives those of the order. */
export function fieldsAt(path: readonly string[]): readonly FieldRow[] {
  let table = TABLES.request ?? [];
  for (const key of path) {
    const example = table.find(([name]) => name === key)?.[3];
    table = example?.startsWith("@") === true ? (TABLES[example.slice(1)] ?? []) : [];
  }
  return table;
}

/** The document's example of a cancellation request. */
export const sampleRequest = (): JsonObject => sampleOf("request");

const sampleOf = (table: string): JsonObject =>
  Object.fromEntries((TABLES[table] ?? []).map(([name, , , example]) => [name, valueOf(example ?? "null")]));

const valueOf = (example: string): Json =>
  example.startsWith("@") ? sampleOf(example.slice(1)) : (JSON.parse(example) as Json);
