import {
  createContext,
  type RefObject,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

import { api, messageOf } from "../api";
import type { Checked, Draft, Flow, Json, JsonObject, Problem } from "../types";
import { changedCards } from "./cards";
import { type Base, changedFiles, documentOf, FLOW_FILE, withValue } from "./draft";

export interface Editor {
  flow: Flow;
  base: Base;
  draft: Draft;
  checked: Checked;
  /** What flow.yaml says now; null while its text can't be read. */
  document: JsonObject | null;
  problems: Problem[];
  /** The server has not looked at the last change yet. */
  checking: boolean;
  checkError: string | null;
  /** What flow.yaml says now is not known yet: its text has changed, and the server has not read it. */
  reading: boolean;
  /** Names of files that are not saved, and ids of the cards that show them. */
  unsaved: string[];
  changed: Set<string>;
  /** Why nothing can be changed here; null: it can. */
  locked: string | null;
  /** The flow's name at the top: it takes the focus where the button that had it can't have it any more. */
  heading: RefObject<HTMLHeadingElement | null>;
  set: (path: string, value: Json | undefined) => void;
  setFile: (name: string, text: string | undefined) => void;
  setRaw: (text: string) => void;
  /** Puts several changes in at once. */
  replace: (draft: Draft) => void;
  discard: () => void;
  /** Takes over what was saved; what was typed meanwhile stays. */
  takeSaved: (flow: Flow, sent: Draft | null) => void;
  /** Takes over what Airflow says of the flow, and nothing else. */
  takeAirflow: (flow: Flow) => void;
}

export const CHECK_AFTER_MS = 400;

/** Whether what a check says of flow.yaml holds for a draft, too, whose other files may have changed since. */
const isReadIn = (draft: Draft, checked: Checked, of: Draft | null) =>
  draft.document !== null ||
  checked.flow_yaml === textOf(draft) ||
  (of?.document === null && textOf(of) === textOf(draft));

const textOf = ({ files }: Draft) => files[FLOW_FILE] ?? "";

const fresh = (flow: Flow): Draft => ({ files: flow.draft.files, document: null });

const baseOf = (flow: Flow): Base => ({
  revision: flow.revision,
  files: flow.draft.files,
  document: flow.checked.document,
});

/** The state of a flow that is being edited; the server checks it while one types. */
export function useEditor(loaded: Flow): Editor {
  const heading = useRef<HTMLHeadingElement>(null);
  const [flow, setFlow] = useState(loaded);
  const [draft, setDraft] = useState(() => fresh(loaded));
  const { checked, checkedFor, checkError, isRead } = useChecked(flow, draft);
  const base = useMemo(() => baseOf(flow), [flow]);
  const document = documentOf(draft, checked);

  const set = useCallback(
    (path: string, value: Json | undefined) => {
      setDraft((old) => ({ ...old, document: withValue(documentOf(old, checked) ?? {}, path, value) }));
    },
    [checked],
  );
  const setFile = useCallback((name: string, text: string | undefined) => {
    setDraft((old) => {
      const files = { ...old.files };
      if (text === undefined) Reflect.deleteProperty(files, name);
      else files[name] = text;
      return { ...old, files };
    });
  }, []);
  const setRaw = useCallback((text: string) => {
    setDraft((old) => ({ files: { ...old.files, [FLOW_FILE]: text }, document: null }));
  }, []);
  const discard = useCallback(() => {
    setDraft(fresh(flow));
  }, [flow]);
  const takeSaved = useCallback((saved: Flow, sent: Draft | null) => {
    setFlow(saved);
    setDraft((old) => (sent === null || old === sent ? fresh(saved) : old));
  }, []);
  const takeAirflow = useCallback(({ airflow }: Flow) => {
    setFlow((old) => ({ ...old, airflow }));
  }, []);

  return {
    flow,
    base,
    draft,
    checked,
    document,
    problems: checked.problems,
    checking: checkedFor !== draft,
    checkError,
    reading: checkedFor !== draft && !isRead,
    unsaved: changedFiles(base, draft),
    changed: changedCards(base, draft, document),
    locked: lockOf(flow),
    heading,
    set,
    setFile,
    setRaw,
    replace: setDraft,
    discard,
    takeSaved,
    takeAirflow,
  };
}

function lockOf({ writable, why_not, rights }: Flow): string | null {
  if (!rights.edit) return "Your role in Airflow lets you look at this flow, not change it.";
  return writable ? null : (why_not ?? "The flows folder can't be written.");
}

/** What the server last said of the draft, asked again shortly after each change. */
function useChecked(flow: Flow, draft: Draft) {
  const [held, setHeld] = useState<{ checked: Checked; of: Draft | null; error: string | null }>({
    checked: flow.checked,
    of: draft,
    error: null,
  });
  const isSaved = draft.document === null && draft.files === flow.draft.files;
  useEffect(() => {
    if (isSaved || !flow.rights.test) return;
    const leave = new AbortController();
    const timer = setTimeout(() => {
      const path = `flows/${encodeURIComponent(flow.id)}/check`;
      api<Checked>(path, { method: "POST", json: { draft }, signal: leave.signal }).then(
        (checked) => {
          setHeld({ checked, of: draft, error: null });
        },
        (error: unknown) => {
          if (!leave.signal.aborted) setHeld((old) => ({ ...old, of: draft, error: messageOf(error) }));
        },
      );
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      leave.abort();
    };
  }, [draft, flow, isSaved]);
  if (isSaved) return { checked: flow.checked, checkedFor: draft, checkError: null, isRead: true };
  const rest = { checkedFor: held.of, checkError: held.error };
  if (isReadIn(draft, held.checked, held.of)) return { ...rest, checked: held.checked, isRead: true };
  // what was checked last may be older than what was saved since
  if (isReadIn(draft, flow.checked, fresh(flow))) return { ...rest, checked: flow.checked, isRead: true };
  return { ...rest, checked: held.checked, isRead: false };
}

export const EditorContext = createContext<Editor | null>(null);

export function useFlowEditor(): Editor {
  const editor = useContext(EditorContext);
  if (editor === null) throw new Error("useFlowEditor stands outside of an EditorPage");
  return editor;
}
