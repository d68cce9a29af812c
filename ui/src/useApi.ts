import { useCallback, useEffect, useState } from "react";

import { api, ApiError, messageOf } from "./api";

export interface Loaded<T> {
  /** The last answer for this path; stays while it is read again. */
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload: () => void;
  /** Puts in an answer that came another way, such as the row that a write returned. */
  put: (data: T) => void;
}

interface Held<T> {
  path: string | null;
  turn: number;
  data?: T;
  error?: ApiError;
}

/**
 * Read from our API, and again every `refreshMs` while the page is seen.
 *
 * @param path below the API's address; null: nothing is read yet
 */
export function useApi<T>(path: string | null, { refreshMs }: { refreshMs?: number } = {}): Loaded<T> {
  const [turn, setTurn] = useState(0);
  const [held, setHeld] = useState<Held<T>>({ path: null, turn: -1 });

  useEffect(() => {
    if (path === null) return;
    const leave = new AbortController();
    api<T>(path, { signal: leave.signal }).then(
      (data) => {
        setHeld({ path, turn, data });
      },
      (error: unknown) => {
        if (leave.signal.aborted) return;
        const shown = error instanceof ApiError ? error : new ApiError(0, messageOf(error));
        setHeld((old) => ({ path, turn, data: old.path === path ? old.data : undefined, error: shown }));
      },
    );
    return () => {
      leave.abort();
    };
  }, [path, turn]);

  const reload = useCallback(() => {
    setTurn((old) => old + 1);
  }, []);

  useEffect(() => {
    if (refreshMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, refreshMs);
    return () => {
      clearInterval(timer);
    };
  }, [refreshMs, reload]);

  const put = useCallback(
    (data: T) => {
      setHeld((old) => ({ path, turn: old.turn, data }));
    },
    [path],
  );

  const own = held.path === path && path !== null;
  return {
    data: own ? held.data : undefined,
    error: own ? held.error : undefined,
    loading: path !== null && (!own || held.turn !== turn),
    reload,
    put,
  };
}
