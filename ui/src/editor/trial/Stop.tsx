import { Button } from "@chakra-ui/react";
import { type ReactNode, useEffect, useState } from "react";

import type { Stoppable } from "./useStoppable";

/** Most runs are over before anybody could press it: a button for them would only flicker. */
const SHOWN_AFTER_MS = 500;

/** Stands beside what runs, as long as it runs. */
export const Stop = ({ busy, stop }: Pick<Stoppable, "busy" | "stop">) =>
  busy === null ? null : <LateButton onPress={stop} />;

const LateButton = ({ onPress }: { onPress: () => void }) => {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      setShown(true);
    }, SHOWN_AFTER_MS);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  return shown ? (
    <Button onClick={onPress} size="sm" variant="outline">
      Stop
    </Button>
  ) : null;
};

/** Begins the one thing that may be begun here, and stops it. */
export const RunButton = ({
  stoppable: { begin, busy, stop },
  disabled,
  onRun,
  children,
}: {
  stoppable: Stoppable;
  disabled: boolean;
  onRun: () => void;
  children: ReactNode;
}) => (
  <>
    <Button
      disabled={disabled}
      loading={busy !== null}
      loadingText={busy}
      onClick={onRun}
      ref={begin}
      size="sm"
    >
      {children}
    </Button>
    <Stop busy={busy} stop={stop} />
  </>
);
