/** A flow on a made-up server, and the designer's page on it. */
import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { fireEvent, render, screen } from "@testing-library/react";
import { createMemoryRouter, Link, RouterProvider } from "react-router-dom";

import { App } from "../App";
import { type Called, NEVER, No, serve } from "../requests/fakeServer";
import { valueAt } from "./draft";
import type { Checked, Draft, Flow, JsonObject, Problem } from "../types";

export const DOCUMENT: JsonObject = {
  get_data: { connection: "omnitron_default", cancel_type: "all", status: "approved" },
  script: { file: "script.py" },
  write_to_erp: { connection: "erp_default", url: "/cancellations", method: "POST" },
  write_to_omnitron: { on_success: { status: "completed" } },
};

const TEXT = "# a comment\nget_data: …\n";

const textAt = (document: JsonObject, path: string) => {
  const value = valueAt(document, path);
  return typeof value === "string" ? value : "";
};

const problem = (path: string, message: string, more: Partial<Problem> = {}): Problem => ({
  path,
  message,
  file: null,
  line: null,
  ...more,
});

/** What a server says of a draft: a missing URL and a script with "print x" are wrong. */
export function check(draft: Draft): Checked {
  const document = draft.document ?? DOCUMENT;
  const erp = document.write_to_erp as JsonObject;
  const problems = [
    ...(erp.url === undefined ? [problem("write_to_erp.url", "is missing.")] : []),
    ...((draft.files["script.py"] ?? "").includes("print x")
      ? [problem("script.file", "Python 2: write print(x)", { file: "script.py", line: 1 })]
      : []),
  ];
  return {
    flow_yaml: draft.document === null ? (draft.files["flow.yaml"] ?? "") : `${TEXT}# merged\n`,
    document,
    effective: document,
    problems,
    query: `status=${textAt(document, "get_data.status")}`,
    lost_answer: { sentence: "It waits for a person.", safe: erp.look_up !== undefined },
    schedule: null,
  };
}

export function flow(more: Partial<Flow> = {}): Flow {
  const draft = { files: { "flow.yaml": TEXT, "script.py": "x = 1\n" }, document: null };
  return {
    id: "acme",
    revision: "r1",
    draft,
    other_files: [],
    checked: check(draft),
    writable: true,
    why_not: null,
    rights: { see: true, test: true, edit: true, redo: true, reveal: false },
    airflow: { known: true, paused: false, next_run: null, last_run: null, parsed_at: null },
    steps: ["script"],
    answer: null,
    ...more,
  };
}

/** Answer for one flow; `answers` add to it or win. */
export function serveFlow(answers: Record<string, unknown> = {}, loaded: Flow = flow()): Called[] {
  let saved = loaded;
  return serve({
    "GET flows/acme": () => saved,
    "POST flows/acme/check": ({ json }: Called) => check((json as { draft: Draft }).draft),
    "PUT flows/acme": ({ json }: Called) => {
      const { draft } = json as { draft: Draft };
      const text = check(draft).flow_yaml;
      const files = { ...draft.files, "flow.yaml": text };
      saved = {
        ...saved,
        revision: "r2",
        draft: { files, document: null },
        checked: { ...check(draft), flow_yaml: text },
      };
      return { revision: "r2", saved_at: "2026-03-24T12:00:00Z", cases: [] };
    },
    "GET flows/acme/live": { live: true, parsed_at: "2026-03-24T12:00:02Z", broken: [] },
    ...answers,
  });
}

export { NEVER, No };

/** Show the designer at a card. */
export function showFlow(card = "get_data") {
  const router = createMemoryRouter(
    [
      { path: "/plugin/:page/*", element: <App page="Flows" /> },
      { path: "/dags", element: <Link to="/plugin/flows">elsewhere</Link> },
    ],
    { initialEntries: [`/plugin/flows?flow=acme&card=${card}`] },
  );
  render(
    <ChakraProvider value={defaultSystem}>
      <RouterProvider router={router} />
    </ChakraProvider>,
  );
  return router;
}

export const field = (name: RegExp) => screen.findByRole("textbox", { name });

export const type = (element: HTMLElement, value: string) => fireEvent.change(element, { target: { value } });

export const press = (name: string | RegExp) => {
  fireEvent.click(screen.getByRole("button", { name }));
};

/** Fetch a request for a test panel; the server answers it with a key "fetched". */
export async function fetchOne(how: RegExp) {
  fireEvent.click(await screen.findByRole("button", { name: /^Fetch from Omnitron/ }));
  fireEvent.click(await screen.findByRole("menuitem", { name: how }));
  await screen.findByText(/"fetched"/);
}
