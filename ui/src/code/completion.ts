/** What the editors offer while one types: the request's fields, attributes, and the names that scripts have. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";

import { fieldsAt } from "./request";

export const ATTRIBUTES: Readonly<Record<string, string>> = {
  "flow.id": "the flow's id",
  "run.id": "the run's id",
  "request.id": "the request's id",
  "request.uuid": "the request's uuid",
  "request.channel": "the request's sales channel",
  attempt: "which attempt this is, from 1",
  "invokehttp.status.code": "the ERP's HTTP status, as text",
  "invokehttp.status.message": "the words beside the ERP's status",
  "invokehttp.request.url": "where the request was sent",
  "invokehttp.response.body": "the ERP's answer as text",
  "delivery.outcome": "answered or unknown",
  relation: "continue, failure, do_nothing or auth_fail",
};

const name = (label: string, detail: string, type = "variable"): Completion => ({ label, detail, type });

export const SCRIPT_NAMES: readonly Completion[] = [
  name("input_text", "the input, JSON text"),
  name("inputStream", "the input as a stream"),
  name("outputStream", "outputStream.write(text): what goes on"),
  name("session", "get, read, write, putAttribute, transfer …"),
  name("flowFile", "flowFile.getAttribute(name)"),
  name("log", "log.info(text): a line of the task log"),
  name("REL_SUCCESS", "session.transfer(flowFile, REL_SUCCESS)", "constant"),
  name("REL_FAILURE", "a transfer to it is a script error", "constant"),
  name("get_attribute", "get_attribute(name, default=None)", "function"),
];

const method = (label: string, detail: string): Completion => ({ label, detail, type: "method" });

export const MEMBERS: Readonly<Record<string, readonly Completion[]>> = {
  session: [
    method("putAttribute", "(flowFile, name, value), or (name, value)"),
    method("putAllAttributes", "(flowFile, {name: value})"),
    method("removeAttribute", "(flowFile, name)"),
    method("get", "(): the flow file"),
    method("read", "(flowFile, callback)"),
    method("write", "(flowFile, callback)"),
    method("transfer", "(flowFile, REL_SUCCESS)"),
    method("commit", "()"),
    method("rollback", "()"),
  ],
  flowFile: [method("getAttribute", "(name): text or None"), method("getAttributes", "(): all of them")],
  log: ["debug", "info", "warn", "error"].map((level) => method(level, "(text, …): {} takes the values")),
  inputStream: [method("read", "(): all of the input, as bytes")],
  outputStream: [method("write", "(text): what goes on to the next card")],
};

const RELATIONS = ["continue", "failure", "do_nothing", "auth_fail"];

/** A chain of subscripts before the cursor: `request["order_item"].get("ord`. */
const SUBSCRIPTS =
  /((?:\w+|\])?(?:(?:\["[^"]*"\]|\['[^']*'\]|\.get\(["'][^"']*["'][^)]*\)))*)(?:\[|\.get\()["']([\w]*)$/;
const KEY = /(?:\[|\.get\()["']([^"']*)["']/g;

/** Offer names in a Python script. */
export function completePython(context: CompletionContext): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  return (
    inQuotes(
      before,
      context.pos,
      /(?:get_attribute|getAttribute|putAttribute)\((?:\w+, *)?["']([\w.]*)$/,
      () => Object.entries(ATTRIBUTES).map(([label, detail]) => ({ label, detail, type: "property" })),
    ) ??
    inQuotes(before, context.pos, /["']relation["'], *["'](\w*)$/, () =>
      RELATIONS.map((label) => ({ label, type: "enum" })),
    ) ??
    fieldsBefore(before, context.pos) ??
    membersBefore(before, context.pos) ??
    namesBefore(context)
  );
}

function inQuotes(
  before: string,
  pos: number,
  pattern: RegExp,
  options: () => Completion[],
): CompletionResult | null {
  const found = pattern.exec(before);
  return found === null
    ? null
    : { from: pos - (found[1] ?? "").length, options: options(), validFor: /^[\w.]*$/ };
}

function fieldsBefore(before: string, pos: number): CompletionResult | null {
  const found = SUBSCRIPTS.exec(before);
  if (found === null) return null;
  const path = [...(found[1] ?? "").matchAll(KEY)].map((key) => key[1] ?? "");
  const options = fieldOptions(path);
  return options.length === 0 ? null : { from: pos - (found[2] ?? "").length, options, validFor: /^\w*$/ };
}

/** The fields at a path; a variable may also hold an inner object, so a path that leads nowhere gives all tables' fields. */
function fieldOptions(path: string[]): Completion[] {
  const whole = fieldsAt(path);
  const inner = fieldsAt(["order_item", ...path]);
  const found = whole.length > 0 ? [...whole, ...(path.length === 0 ? inner : [])] : inner;
  const seen = new Map(
    found.map(([label, detail, info]) => [label, { label, detail, info, type: "property" }]),
  );
  return [...seen.values()];
}

function membersBefore(before: string, pos: number): CompletionResult | null {
  const found = /\b(\w+)\.(\w*)$/.exec(before);
  const members = found === null ? undefined : MEMBERS[found[1] ?? ""];
  return members === undefined
    ? null
    : { from: pos - (found?.[2] ?? "").length, options: [...members], validFor: /^\w*$/ };
}

function namesBefore(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[A-Za-z_]\w*$/);
  if (word === null || (word.from > 0 && context.state.sliceDoc(word.from - 1, word.from) === "."))
    return null;
  return { from: word.from, options: [...SCRIPT_NAMES], validFor: /^\w*$/ };
}

const OPERATIONS: Readonly<Record<string, string>> = {
  shift: "moves values to other places",
  default: "fills in what is missing",
  remove: "takes fields away",
  sort: "sorts keys",
  cardinality: "one value or a list",
  "modify-overwrite-beta": "computes values",
  "modify-default-beta": "computes values that are missing",
  "modify-define-beta": "computes values of new keys",
};

/** Offer operations and the request's fields in a Jolt mapping. */
export function completeMapping(context: CompletionContext): CompletionResult | null {
  const before = context.state.sliceDoc(0, context.pos);
  const operation = /"operation"\s*:\s*"([\w-]*)$/.exec(before);
  if (operation !== null) {
    const options = Object.entries(OPERATIONS).map(([label, detail]) => ({ label, detail, type: "enum" }));
    return { from: context.pos - (operation[1] ?? "").length, options, validFor: /^[\w-]*$/ };
  }
  const key = /[{,]\s*"(\w*)$/.exec(before);
  if (key === null) return null;
  const options = fieldOptions(keysAbove(before.slice(0, -key[0].length + 1)));
  return options.length === 0
    ? null
    : { from: context.pos - (key[1] ?? "").length, options, validFor: /^\w*$/ };
}

/** The keys of the objects that are open at a text's end, below the last "spec". */
export function keysAbove(text: string): string[] {
  const open: string[] = [];
  for (const [token, key] of text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:\s*[{[]|"(?:[^"\\]|\\.)*"|[{[}\]]/g)) {
    if (key !== undefined) open.push(key);
    else if (token === "{" || token === "[") open.push("");
    else if (token === "}" || token === "]") open.pop();
  }
  const spec = open.lastIndexOf("spec");
  return spec === -1 ? [] : open.slice(spec + 1);
}
