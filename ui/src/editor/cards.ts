/** The cards of a flow, in the document's order, and what of the flow each of them shows. */
import type { Draft, JsonObject, Problem } from "../types";
import { type Base, changedFiles, changedKeys, FLOW_FILE, isObject, problemsAt, valueAt } from "./draft";

export interface Card {
  id: string;
  title: string;
  group: "Steps" | "Run" | "Flow";
  /** Keys of the document that the card shows. */
  keys: string[];
  /** The step can be switched off: these are its key and the file that it begins with. */
  optional?: { key: string; file: string };
}

export const CARDS: readonly Card[] = [
  { id: "get_data", title: "Get Data From Omnitron", group: "Steps", keys: ["get_data"] },
  {
    id: "script",
    title: "Script",
    group: "Steps",
    keys: ["script"],
    optional: { key: "script", file: "script.py" },
  },
  {
    id: "mapping",
    title: "Mapping",
    group: "Steps",
    keys: ["mapping"],
    optional: { key: "mapping", file: "mapping.json" },
  },
  { id: "write_to_erp", title: "Write Data to ERP", group: "Steps", keys: ["write_to_erp"] },
  {
    id: "custom_response",
    title: "Custom Response",
    group: "Steps",
    keys: ["custom_response"],
    optional: { key: "custom_response", file: "response.py" },
  },
  { id: "write_to_omnitron", title: "Write Data to Omnitron", group: "Steps", keys: ["write_to_omnitron"] },
  {
    id: "post_script",
    title: "Post Script",
    group: "Steps",
    keys: ["post_script"],
    optional: { key: "post_script", file: "post.py" },
  },
  { id: "schedule", title: "Schedule", group: "Run", keys: ["schedule"] },
  { id: "delivery", title: "Delivery", group: "Run", keys: ["delivery"] },
  {
    id: "about",
    title: "About",
    group: "Flow",
    keys: ["title", "description", "owner", "tags", "enabled"],
  },
  { id: "cases", title: "Test cases", group: "Flow", keys: [] },
  { id: "raw", title: "flow.yaml", group: "Flow", keys: [] },
  { id: "history", title: "History", group: "Flow", keys: [] },
];

export const CASES = "cases/";

/** The file that a card's step uses. */
export function fileOf(card: Card, document: JsonObject | null): string | undefined {
  if (card.optional === undefined) return undefined;
  const file = valueAt(document, `${card.optional.key}.file`);
  return typeof file === "string" ? file : undefined;
}

/** Whether a card's step is part of the flow. */
export const isOn = (card: Card, document: JsonObject | null) =>
  card.optional === undefined || isObject(document?.[card.optional.key]);

/** The problems that a card shows. The raw view takes those that stand in no other card. */
export function problemsOf(card: Card, problems: readonly Problem[]): Problem[] {
  if (card.id === "cases") return problems.filter(isOfACase);
  if (card.id === "raw") return problems.filter((problem) => !isOfACase(problem) && !hasCard(problem));
  return card.keys.flatMap((key) => problemsAt(problems, key));
}

const isOfACase = (problem: Problem) =>
  problem.path.startsWith(CASES) || (problem.file?.startsWith(CASES) ?? false);

const KEYS = CARDS.flatMap((card) => card.keys);

const hasCard = (problem: Problem) => KEYS.some((key) => problemsAt([problem], key).length > 0);

/** The cards of which something is not saved. */
export function changedCards(base: Base, draft: Draft, document: JsonObject | null): Set<string> {
  const files = new Set(changedFiles(base, draft));
  const keys = new Set(changedKeys(base.document, document));
  const changed = CARDS.filter((card) => {
    if (card.id === "raw") return files.has(FLOW_FILE);
    if (card.id === "cases") return [...files].some((name) => name.startsWith(CASES));
    const file = fileOf(card, document);
    return card.keys.some((key) => keys.has(key)) || (file !== undefined && files.has(file));
  });
  return new Set(changed.map((card) => card.id));
}
