import { useSyncExternalStore } from "react";

const root = document.documentElement;

function subscribe(notify: () => void) {
  const observer = new MutationObserver(notify);
  observer.observe(root, { attributeFilter: ["class"], attributes: true });
  return () => {
    observer.disconnect();
  };
}

/** Whether Airflow shows its dark theme. Only the code editors need it: all else uses semantic tokens. */
export const useDark = () => useSyncExternalStore(subscribe, () => root.classList.contains("dark"));
