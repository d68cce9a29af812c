import { useEffect } from "react";
import { useBlocker } from "react-router-dom";

/** Ask before a page with unsaved changes is left: by a link, by going back, by closing it. */
export function useUnsavedGuard(dirty: boolean) {
  const blocker = useBlocker(({ currentLocation: from, nextLocation: to }) => {
    const other = new URLSearchParams(from.search).get("flow") !== new URLSearchParams(to.search).get("flow");
    return dirty && (from.pathname !== to.pathname || other);
  });
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => {
      event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
    };
  }, [dirty]);
  return blocker;
}
