import { Button, Menu, Portal } from "@chakra-ui/react";

import { useFlowEditor } from "../useEditor";
import {
  arrivedAt,
  beginning,
  fetched,
  firstStep,
  pretty,
  runChain,
  sample,
  type TestedStep,
} from "./inputs";
import { useTrials } from "./useTrials";

export type During = (
  what: string,
  work: (signal: AbortSignal) => Promise<void>,
  onStop?: () => void,
) => Promise<void>;

/** Ways to fill the input. */
export const FromMenu = ({ step, busy, during }: { step: TestedStep; busy: boolean; during: During }) => {
  const { flow, draft, document } = useFlowEditor();
  const trials = useTrials();
  const first = firstStep(document);
  const isFirst = step === first;

  const fetchFromOmnitron = (masked: boolean) =>
    during("Fetching", async (signal) => {
      trials.put(first, await fetched(flow.id, masked, signal));
    });

  const takePrevious = () =>
    during("Taking over", async (signal) => {
      const before = step === "mapping" ? trials.of("script").result : null;
      if (before !== null && before.error === null) {
        trials.put(step, {
          input: pretty(before.result_data),
          attributes: Object.entries(before.attributes),
          personal: trials.of("script").personal,
        });
        return;
      }
      const chain = await runChain(flow.id, draft, beginning(trials, document), trials.answer, signal);
      const arrived = arrivedAt(chain, step);
      const stopped = chain.steps.find((tried) => tried.error !== null);
      if (arrived === null) throw new Error(stopped?.error ?? "The chain does not come as far as this card.");
      trials.put(step, { ...arrived, personal: trials.of(first).personal });
    });

  return isFirst ? (
    <Menu.Root>
      <Menu.Trigger asChild>
        <Button disabled={!flow.rights.test} size="xs" variant="outline">
          Fetch from Omnitron ▾
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            <Menu.Item disabled={busy} onClick={() => void fetchFromOmnitron(true)} value="masked">
              One request, personal data masked
            </Menu.Item>
            <Menu.Item
              disabled={busy || !flow.rights.reveal}
              onClick={() => void fetchFromOmnitron(false)}
              value="unmasked"
            >
              One request, unmasked{flow.rights.reveal ? "" : " (your role may not)"}
            </Menu.Item>
            <Menu.Item
              disabled={busy}
              onClick={() => {
                trials.put(step, { input: sample(), result: null, personal: false });
              }}
              value="sample"
            >
              The documentation&apos;s example
            </Menu.Item>
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  ) : (
    <Button
      disabled={busy || !flow.rights.test}
      onClick={() => void takePrevious()}
      size="xs"
      variant="outline"
    >
      Take the previous card&apos;s result
    </Button>
  );
};
