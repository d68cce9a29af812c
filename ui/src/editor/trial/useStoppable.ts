import { type RefCallback, useCallback, useEffect, useRef, useState } from "react";

import { useRefocus } from "../../shared/useRefocus";

export interface Stoppable {
  /** What is under way, as the button that began it says it ("Running"). */
  busy: string | null;
  /**
   * Begin something; what is under way is stopped for it.
   *
   * @param work gives its signal to what it asks of the server, which stops when it is aborted
   * @param ends is told how it ended, when not well
   */
  during: (
    what: string,
    work: (signal: AbortSignal) => Promise<void>,
    ends: { onError: (error: unknown) => void; onStop?: () => void },
  ) => Promise<void>;
  stop: () => void;
  /** The button that begins it: it has the focus again after a stop. */
  begin: RefCallback<HTMLButtonElement>;
}

/** What may take minutes, as an endless script does, and what nobody should have to wait for. */
export function useStoppable(): Stoppable {
  const [busy, setBusy] = useState<string | null>(null);
  const latest = useRef<AbortController>(null);
  const button = useRef<HTMLButtonElement>(null);
  const begin = useCallback<Stoppable["begin"]>((element) => {
    button.current = element;
  }, []);
  const during = useCallback<Stoppable["during"]>(async (what, work, { onError, onStop }) => {
    latest.current?.abort();
    const begun = new AbortController();
    latest.current = begun;
    setBusy(what);
    try {
      await work(begun.signal);
    } catch (error) {
      if (begun.signal.aborted) onStop?.();
      else onError(error);
    } finally {
      if (latest.current === begun) setBusy(null);
    }
  }, []);
  const stop = useCallback(() => {
    latest.current?.abort();
  }, []);
  useEffect(() => stop, [stop]); // who leaves does not wait
  useEffect(() => {
    if (busy === null && latest.current?.signal.aborted === true) button.current?.focus();
  }, [busy]);
  useRefocus(busy !== null);
  return { busy, during, stop, begin };
}
