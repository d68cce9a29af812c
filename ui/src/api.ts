/** Calls to our own API and to Airflow's, with errors that the pages can tell apart. */
import type { CaseResult, FileDiff, Problem } from "./types";

/** What the server says beside a message, by its code (invalid, changed, cases, read_only, …). */
export interface Detail {
  code?: string;
  message?: string;
  problems?: Problem[];
  cases?: CaseResult[];
  revision?: string;
  author?: string;
  at?: string;
  diffs?: FileDiff[];
}

/** The server said no, or was not reached (status 0). Its message is fit to be shown. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly detail: Detail = {},
  ) {
    super(message);
    this.name = "ApiError";
  }

  get code(): string | undefined {
    return this.detail.code;
  }
}

export interface Call {
  json?: unknown;
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  signal?: AbortSignal;
}

/** Our API's address for a path such as "flows/acme": also right below a sub-path. */
export const apiUrl = (path: string) => new URL(path, new URL("order-cancellation/api/", document.baseURI));

/** Call our API. A path part that holds data goes through `encodeURIComponent` first. */
export const api = <T>(path: string, call: Call = {}) => send<T>(apiUrl(path), call);

/** Call Airflow's own REST API: "api/v2/dags/acme". */
export const airflow = <T>(path: string, call: Call = {}) =>
  send<T>(new URL(`api/v2/${path}`, document.baseURI), call);

async function send<T>(url: URL, { json, method = "GET", signal }: Call): Promise<T> {
  const response = await reach(url, {
    // without a body too: the server takes writes as JSON only, so that no other site's form can send one
    body: method === "GET" ? undefined : JSON.stringify(json ?? {}),
    credentials: "same-origin",
    headers: method === "GET" ? {} : { "Content-Type": "application/json" },
    method,
    signal,
  });
  const body: unknown = await response.json().catch(() => undefined); // a proxy's error page is no JSON
  if (response.ok && (body !== undefined || response.status === 204)) return body as T;
  if (response.ok)
    throw new ApiError(502, "The pages' API is not there: see Airflow's plugin import errors.");
  throw failure(response, body);
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "Airflow can't be reached. Nothing is lost here: try again in a moment.");
  }
}

function failure(response: Response, body: unknown): ApiError {
  const detail = (body as { detail?: unknown } | undefined)?.detail;
  if (response.status === 401 || (response.status === 403 && detail === "Invalid JWT token")) signIn();
  const [message, more] = read(detail);
  return new ApiError(response.status, message ?? FALLBACK[response.status] ?? response.statusText, more);
}

const FALLBACK: Record<number, string> = {
  403: "Your role in Airflow does not allow this.",
  404: "This is not there, or you may not see it.",
  413: "This is too large: 4 MiB is the most.",
  500: "The server failed. Its log in Airflow's API server says why.",
};

/** Our own details, FastAPI's lists of validation errors, and plain texts. */
function read(detail: unknown): [string | undefined, Detail] {
  if (typeof detail === "string") return [detail === "Forbidden" ? undefined : detail, {}];
  if (Array.isArray(detail)) {
    const errors = detail as { loc?: unknown[]; msg?: string }[];
    return [errors.map(({ loc, msg }) => `${(loc ?? []).slice(1).join(".")}: ${msg ?? ""}`).join("; "), {}];
  }
  if (typeof detail === "object" && detail !== null) return [(detail as Detail).message, detail];
  return [undefined, {}];
}

function signIn() {
  const login = new URL("api/v2/auth/login", document.baseURI);
  login.searchParams.set("next", location.href);
  location.replace(login);
}

/** What to show for anything that was thrown. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
