/** Where a test panel's input comes from: Omnitron, the card before, or the document's example. */
import { api } from "../../api";
import { sampleRequest } from "../../code/request";
import type { Chain, Draft, Json, JsonObject } from "../../types";
import { isObject } from "../draft";
import type { Pair } from "../Pairs";
import type { Trial, Trials } from "./useTrials";

export const STEPS = ["script", "mapping", "custom_response", "post_script"] as const;
export type TestedStep = (typeof STEPS)[number];

export const pretty = (value: Json | undefined) =>
  typeof value === "string" ? value : JSON.stringify(value ?? null, null, 2);

export const pairsOf = (attributes: Record<string, string>): Pair[] => Object.entries(attributes);

/** The step that gets the request as Omnitron gives it. */
export const firstStep = (document: JsonObject | null): TestedStep =>
  isObject(document?.script) ? "script" : "mapping";

/** What stands in a panel's empty input: what the step gets, and where that is to be had. */
export function awaited(step: TestedStep, first: TestedStep): string {
  if (step === first) return "One request as JSON: paste it, or fetch it";
  if (step === "mapping") return "The script's result as JSON: paste it, or take it over";
  return '{"request_data": …, "response_data": …}: paste it, or take it over';
}

export const sample = () => pretty(sampleRequest());

/** What the chain begins with: what stands in the first card's panel, else the document's example. */
export function beginning(
  trials: Trials,
  document: JsonObject | null,
): { input: string; attributes: Pair[] } {
  const { input, attributes } = trials.of(firstStep(document));
  return { input: input.trim() === "" ? sample() : input, attributes };
}

/** What a panel holds once one real request was fetched; what the old input gave may hold what this one does not. */
export async function fetched(flow: string, masked: boolean, signal?: AbortSignal): Promise<Partial<Trial>> {
  const path = `flows/${encodeURIComponent(flow)}/example?masked=${String(masked)}`;
  const { request } = await api<{ request: JsonObject }>(path, { signal });
  return { input: pretty(request), result: null, personal: !masked };
}

export const runChain = (
  flow: string,
  draft: Draft,
  begun: ReturnType<typeof beginning>,
  answer: Trials["answer"],
  signal: AbortSignal,
) =>
  api<Chain>(`flows/${encodeURIComponent(flow)}/chain`, {
    method: "POST",
    signal,
    json: { draft, input: begun.input, attributes: Object.fromEntries(begun.attributes), answer },
  });

/** A step's input and attributes after all the cards before it have run. */
export function arrivedAt(chain: Chain, step: string): { input: string; attributes: Pair[] } | null {
  const at = chain.steps.findIndex((tried) => tried.step === step);
  const reached = chain.steps[at];
  if (reached === undefined || reached.skipped !== null) return null;
  const before = chain.steps.slice(0, at).findLast((tried) => tried.skipped === null);
  const attributes = { ...before?.attributes, ...ofTheCall(reached.attributes) };
  return { input: prettyText(reached.input), attributes: pairsOf(attributes) };
}

/** The attributes that the ERP call leaves, which stand between two steps. */
const ofTheCall = (attributes: Record<string, string>) =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => /^(invokehttp|delivery)\./.test(name)));

/** JSON text with line breaks; other text as it is. */
export function prettyText(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
