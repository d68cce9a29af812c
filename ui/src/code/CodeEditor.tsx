import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  LanguageSupport,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { Annotation, Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  placeholder as hint,
} from "@codemirror/view";
import { Box } from "@chakra-ui/react";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

import { useDark } from "../useDark";
import { completeMapping, completePython } from "./completion";
import { yaml } from "./yaml";

export type Language = "python" | "json" | "mapping" | "yaml" | "text";

/** Something wrong at a line (from 1). */
export interface Mark {
  line: number;
  message: string;
}

export interface CodeEditorProps {
  label: string;
  value: string;
  language: Language;
  onChange?: (value: string) => void;
  readOnly?: boolean;
  marks?: readonly Mark[];
  height?: string;
  placeholder?: string;
}

/** A change that came from outside and not from who types: nobody is told of it. */
const fromOutside = Annotation.define<boolean>();

const color = (name: string) => `var(--chakra-colors-${name})`;

/** Airflow's semantic colours, so that both themes fit without a second style. */
const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: color("purple-fg") },
  { tag: [tags.string, tags.special(tags.string)], color: color("green-fg") },
  { tag: [tags.number, tags.bool, tags.null], color: color("orange-fg") },
  { tag: tags.comment, color: color("fg-muted"), fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.variableName)], color: color("blue-fg") },
  { tag: [tags.function(tags.variableName), tags.className], color: color("teal-fg") },
  { tag: tags.invalid, color: color("red-fg") },
]);

const chrome = (dark: boolean) =>
  EditorView.theme(
    {
      "&": { backgroundColor: color("bg"), color: color("fg"), fontSize: "13px", height: "100%" },
      "&.cm-focused": { outline: `2px solid ${color("brand-focus-ring")}` },
      ".cm-scroller": { fontFamily: "var(--chakra-fonts-mono, monospace)", lineHeight: "1.5" },
      ".cm-gutters": { backgroundColor: color("bg"), border: "none", color: color("fg-muted") },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: color("bg-muted") },
      ".cm-cursor": { borderLeftColor: color("fg") },
      ".cm-placeholder": { color: color("fg-muted") }, // its own grey is too pale to read
      ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
        background: `${color("brand-muted")} !important`,
      },
      ".cm-activeLine": { backgroundColor: "transparent" },
      ".cm-tooltip, .cm-panels": {
        backgroundColor: color("bg-panel"),
        borderColor: color("border"),
        color: color("fg"),
      },
      ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
        background: color("brand-muted"),
        color: color("fg"),
      },
      ".cm-completionDetail": { color: color("fg-muted"), fontStyle: "normal" },
    },
    { dark },
  );

function languageOf(language: Language): Extension {
  if (language === "python") {
    return [
      new LanguageSupport(pythonLanguage),
      indentUnit.of("    "),
      autocompletion({ override: [completePython] }),
    ];
  }
  if (language === "yaml") return [yaml, EditorView.lineWrapping];
  if (language === "text") return EditorView.lineWrapping;
  const check = linter((view) => (view.state.doc.length === 0 ? [] : jsonParseLinter()(view)), {
    delay: 300,
  });
  return [json(), check, language === "mapping" ? autocompletion({ override: [completeMapping] }) : []];
}

const asDiagnostics = (state: EditorState, marks: readonly Mark[]): Diagnostic[] =>
  marks.map(({ line, message }) => {
    const { from, to } = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
    return { from, to, message, severity: "error" };
  });

const marked = (marks: readonly Mark[]): Extension =>
  marks.length === 0 ? [] : linter((view) => asDiagnostics(view.state, marks), { delay: 0 });

/** A code editor in Airflow's colours. Escape, then Tab, leaves it by the keyboard. */
export const CodeEditor = (props: CodeEditorProps) => {
  const { label, value, language, readOnly = false, marks = [], height = "20rem", placeholder = "" } = props;
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  const slots = useRef({ theme: new Compartment(), only: new Compartment(), marks: new Compartment() });
  const dark = useDark();

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    if (place.current === null) return;
    const { theme, only, marks: problems } = slots.current;
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => true }])), // the test panel's key, not a new line
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          lintGutter(),
          syntaxHighlighting(highlight),
          languageOf(language),
          hint(placeholder),
          keymap.of([
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...lintKeymap,
            ...historyKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || update.transactions.some((one) => one.annotation(fromOutside) === true))
              return;
            latest.current.onChange?.(update.state.doc.toString());
          }),
          theme.of([]),
          only.of([]),
          problems.of([]),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [label, language, placeholder]);

  /* oxlint-disable react/exhaustive-effect-dependencies -- these run again when the editor was made anew */
  useEffect(() => {
    const now = view.current?.state.doc.toString();
    if (now === undefined || now === value) return;
    view.current?.dispatch({
      annotations: fromOutside.of(true),
      changes: { from: 0, to: now.length, insert: value },
    });
  }, [value, label, language, placeholder]);

  useEffect(() => {
    view.current?.dispatch({ effects: slots.current.theme.reconfigure(chrome(dark)) });
  }, [dark, label, language, placeholder]);

  useEffect(() => {
    const locked = readOnly ? [EditorState.readOnly.of(true)] : [];
    view.current?.dispatch({ effects: slots.current.only.reconfigure(locked) });
  }, [readOnly, label, language, placeholder]);

  const asText = JSON.stringify(marks);
  useEffect(() => {
    const wrong = marked(JSON.parse(asText) as Mark[]);
    view.current?.dispatch({ effects: slots.current.marks.reconfigure(wrong) });
  }, [asText, label, language, placeholder]);
  /* oxlint-enable react/exhaustive-effect-dependencies */

  return (
    <Box
      borderColor="border"
      borderRadius="md"
      borderWidth="1px"
      height={height}
      overflow="hidden"
      ref={place}
      resize="vertical"
    />
  );
};
