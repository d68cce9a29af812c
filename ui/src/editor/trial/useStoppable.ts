import { useCallback, useRef, useState } from "react";

export interface Stoppable {
  /** What is under way, as the button that began it says it ("Running"). */
  busy: string | null;
  /** Begin something; `work` gives its signal to what it asks of the server, which stops when it is aborted. */
  during: (
    what: string,
    work: (signal: AbortSignal) => Promise<void>,
    onError: (error: unknown) => void,
  ) => Promise<void>;
  stop: () => void;
}

/** What may take minutes, as an endless script does, and what nobody should have to wait for. */
export function useStoppable(): Stoppable {
  const [busy, setBusy] = useState<string | null>(null);
  const latest = useRef<AbortController>(null);
  const during = useCallback<Stoppable["during"]>(async (what, work, onError) => {
    const begun = new AbortController();
    latest.current = begun;
    setBusy(what);
    try {
      await work(begun.signal);
    } catch (error) {
      if (!begun.signal.aborted) onError(error);
    } finally {
      setBusy(null);
    }
  }, []);
  const stop = useCallback(() => latest.current?.abort(), []);
  return { busy, during, stop };
}
