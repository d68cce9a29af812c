import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/**
 * Give the focus back to what had it when something began: a button that can't be pressed meanwhile loses it to the
 * page, where a keyboard's way begins anew. Who went elsewhere stays there.
 */
export function useRefocus(busy: boolean): void {
  const from = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (busy) from.current = activeElement instanceof HTMLElement ? activeElement : null;
    else if (activeElement === null || activeElement === body) from.current?.focus();
  }, [busy]);
}

const AFTER_A_DIALOG_MS = 50;

/** Give the focus to something else when what had it goes, and nobody took it. */
export function useFocusAfter(isThere: boolean, next: RefObject<HTMLElement | null>): void {
  const wasThere = useRef(false);
  useEffect(() => {
    const hasGone = wasThere.current && !isThere;
    wasThere.current = isThere;
    if (!hasGone) return;
    const timer = setTimeout(() => {
      const { activeElement, body } = document;
      if (activeElement === null || activeElement === body) next.current?.focus();
    }, AFTER_A_DIALOG_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isThere, next]);
}
