/** A server made of answers, and a page that talks to it. */
import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { render } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router-dom";
import { vi } from "vitest";

import type { FlowList } from "../types";
import { RequestsPage } from "./RequestsPage";

export interface Called {
  method: string;
  path: string;
  json: unknown;
  signal?: AbortSignal | null;
}

type Answer = unknown;

/** An answer that is not 200. */
export class No {
  constructor(
    readonly status: number,
    readonly detail: unknown,
  ) {}
}

/** An answer that does not come: it has to be given up. */
export const NEVER = Symbol("no answer");

/**
 * Answer calls below the API's address.
 *
 * @param answers by "METHOD path", the query left out; a function is asked at each call
 * @returns the calls so far
 */
export function serve(answers: Record<string, Answer>): Called[] {
  const calls: Called[] = [];
  const answer = (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? "GET";
    const path = url.pathname.replace(/^.*order-cancellation\/api\//, "");
    const call = {
      method,
      path: path + url.search,
      json: typeof init?.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
      signal: init?.signal,
    };
    calls.push(call);
    const found = answers[`${method} ${path}`];
    const data: unknown = typeof found === "function" ? (found as (call: Called) => unknown)(call) : found;
    if (data === NEVER) return untilGivenUp(init?.signal);
    if (data instanceof No)
      return Promise.resolve(Response.json({ detail: data.detail }, { status: data.status }));
    if (data === undefined) return Promise.resolve(Response.json({ detail: "Not Found" }, { status: 404 }));
    return Promise.resolve(Response.json(data));
  };
  vi.stubGlobal("fetch", answer);
  return calls;
}

const untilGivenUp = (signal?: AbortSignal | null) =>
  new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => {
      reject(new DOMException("given up", "AbortError"));
    });
  });

/** The list of one flow, whose requests the user may redo or not. */
export const flowList = (redo = true) =>
  ({
    flows: [{ id: "acme", rights: { see: true, test: redo, edit: redo, redo, reveal: redo } }],
  }) as FlowList;

/** Show the page at an address such as "?state=failed"; returns its router. */
export function show(search = "", bound: { dagId?: string; runId?: string } = {}) {
  const router = createMemoryRouter([{ path: "/plugin/:page/*", element: <RequestsPage {...bound} /> }], {
    initialEntries: [`/plugin/requests${search}`],
  });
  render(
    <ChakraProvider value={defaultSystem}>
      <RouterProvider router={router} />
    </ChakraProvider>,
  );
  return router;
}

/** Whether a button is red: its palette stands in the rules of its class. */
export function isRed(button: HTMLElement): boolean {
  const rules = [...document.querySelectorAll("style")].map(({ textContent }) => textContent).join("");
  return [...button.classList].some((name) =>
    rules
      .split(`.${name}{`)
      .slice(1)
      .some((rule) => rule.split("}")[0]?.includes("colors-red-") === true),
  );
}
