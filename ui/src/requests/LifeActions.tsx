import { Button, SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useEffect, useId, useRef, useState } from "react";

import { api } from "../api";
import { Confirm } from "../shared/Confirm";
import { say } from "../toaster";
import type { Action, Life, Redone } from "./types";
import { redoWord } from "./consequences";

type Act = "redo" | "accepted" | "refused";

const WORDS: Record<Act, { button: string; title: string; action: string; reason: string; danger: boolean }> =
  {
    redo: {
      button: "Redo…",
      title: "Redo this request?",
      action: "Redo it",
      reason: "Why? It goes into the request's history.",
      danger: false,
    },
    accepted: {
      button: "The ERP has booked it…",
      title: "The ERP has booked it?",
      action: "Yes, it is booked",
      reason: "How do you know? It goes into the request's history.",
      danger: true,
    },
    refused: {
      button: "The ERP has not booked it…",
      title: "The ERP has not booked it?",
      action: "Yes, it is not booked",
      reason: "How do you know? It goes into the request's history.",
      danger: true,
    },
  };

/** A redo of what is booked moves money twice, one of what is in doubt may. */
const wordsFor = (act: Act, life: Life) =>
  act === "redo" ? { ...WORDS.redo, action: redoWord([life]), danger: isRisky(life) } : WORDS[act];
const isRisky = ({ actions }: Life) => actions.redo?.allowed === true && actions.redo.twice;
const ACTS: Act[] = ["redo", "accepted", "refused"];

const pathOf = (life: Life) => `flows/${encodeURIComponent(life.flow)}/requests`;

async function redo(life: Life, seen: string, why: string) {
  const json = { uuids: [life.uuid], why, seen: { [life.uuid]: seen } };
  const { results } = await api<Redone>(`${pathOf(life)}/redo`, { method: "POST", json });
  const refused = results.find(({ ok }) => !ok);
  if (refused !== undefined) throw new Error(refused.message);
  say("It is done again at the next run", "Trigger the flow to have it done now.");
}

async function resolve(life: Life, seen: string, as: "accepted" | "refused", why: string) {
  const path = `${pathOf(life)}/${encodeURIComponent(life.uuid)}/resolve`;
  await api(path, { method: "POST", json: { as, why, seen } });
  say(as === "accepted" ? "Written down: booked" : "Written down: not booked");
}

/** What a person can do about a request, each with what it brings about. */
export const LifeActions = ({ life, onDone }: { life: Life; onDone: () => void }) => {
  const [asked, setAsked] = useState<Act>("redo");
  const [open, setOpen] = useState(false);
  /** When what was read had last changed; null: what is shown counts, which was read again after a refusal. */
  const [read, setRead] = useState<string | null>(null);
  const found = ACTS.flatMap((act) => {
    const action = life.actions[act];
    return action === null ? [] : [{ act, action }];
  });
  if (!life.rights.redo || found.length === 0) return null;
  const words = wordsFor(asked, life);
  return (
    <>
      <SimpleGrid columns={{ base: 1, md: found.length }} gap={3}>
        {found.map(({ act, action: one }) => (
          <One
            action={one}
            danger={act === "redo" && isRisky(life)}
            words={WORDS[act].button}
            key={act}
            onAsk={() => {
              setAsked(act);
              setRead(life.last_changed);
              setOpen(true);
            }}
          />
        ))}
      </SimpleGrid>
      <Confirm
        action={words.action}
        danger={words.danger}
        onClose={() => {
          setOpen(false);
        }}
        onConfirm={async (why) => {
          const seen = read ?? life.last_changed;
          setRead(null);
          try {
            await (asked === "redo" ? redo(life, seen, why) : resolve(life, seen, asked, why));
          } finally {
            onDone();
          }
        }}
        open={open}
        reason={words.reason}
        title={words.title}
      >
        <Text>{life.actions[asked]?.consequence}</Text>
      </Confirm>
    </>
  );
};

interface Offered {
  action: Action;
  words: string;
  danger: boolean;
  onAsk: () => void;
}

const One = ({ action, words, danger, onAsk }: Offered) => {
  const id = useId();
  return (
    <Stack align="start" borderRadius="md" borderWidth="1px" gap={2} p={3}>
      <Button
        aria-describedby={id}
        colorPalette={danger ? "red" : undefined}
        disabled={!action.allowed}
        onClick={onAsk}
        size="sm"
        variant="outline"
      >
        {words}
      </Button>
      <Text color={action.allowed ? undefined : "fg.muted"} fontSize="sm" id={id}>
        {action.consequence}
      </Text>
    </Stack>
  );
};

/** A small button that takes the focus when it comes: once a dialog that goes with it no longer holds it. */
export const FocusedButton = ({
  focused,
  onClick,
  children,
}: {
  focused: boolean;
  onClick: () => void;
  children: string;
}) => {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!focused) return;
    const timer = setTimeout(() => button.current?.focus(), 50);
    return () => {
      clearTimeout(timer);
    };
  }, [focused]);
  return (
    <Button onClick={onClick} ref={button} size="xs" variant="outline">
      {children}
    </Button>
  );
};

/** Personal data is shown to who has the right and says why; that is written down first. */
export const Reveal = ({
  life,
  focused,
  onShown,
}: {
  life: Life;
  focused: boolean;
  onShown: (payloads: Life["payloads"]) => void;
}) => {
  const [open, setOpen] = useState(false);
  if (!life.rights.reveal) return null;
  const reveal = async (why: string) => {
    const path = `${pathOf(life)}/${encodeURIComponent(life.uuid)}/reveal`;
    onShown((await api<Pick<Life, "payloads">>(path, { method: "POST", json: { why } })).payloads);
  };
  return (
    <>
      <FocusedButton
        focused={focused}
        onClick={() => {
          setOpen(true);
        }}
      >
        Reveal personal data…
      </FocusedButton>
      <Confirm
        action="Reveal"
        onClose={() => {
          setOpen(false);
        }}
        onConfirm={reveal}
        open={open}
        reason="Why do you need to see it?"
        title="Reveal personal data?"
      >
        <Text>
          The customer's data in all bodies of this request is shown on this page until you leave it. That you
          looked, when and why goes into the request's history, where everybody who may see the request reads
          it.
        </Text>
      </Confirm>
    </>
  );
};
