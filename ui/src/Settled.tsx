import { type ReactNode, useEffect } from "react";
import { useLocation, useNavigate } from "react-router-dom";

import { Loading } from "./shared/Loading";

/**
 * Shows a page once it stands where it will stay.
 *
 * Airflow shows a plugin through React.lazy while its bundle is loading, and without it from its own next
 * rendering on: there React takes the page for another one and throws its state away, with all that was typed.
 * So that rendering is brought about at once, before there is anything to lose.
 */
export const Settled = ({ children }: { children: ReactNode }) => {
  const navigate = useNavigate();
  const here = useLocation();
  const settled = isSettled;
  useEffect(() => {
    if (isSettled) return;
    isSettled = true;
    void navigate(here, { replace: true, state: here.state as unknown });
  }, [navigate, here]);
  return settled ? children : <Loading />;
};

/** Once for each time that the bundle is loaded. */
let isSettled = false;
