import { Button } from "@chakra-ui/react";
import { useEffect, useState } from "react";

import type { Stoppable } from "./useStoppable";

/** Most runs are over before anybody could press it: a button for them would only flicker. */
const SHOWN_AFTER_MS = 500;

/** Stands beside what runs, as long as it runs. */
export const Stop = ({ busy, stop }: Stoppable) => (busy === null ? null : <LateButton onPress={stop} />);

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
