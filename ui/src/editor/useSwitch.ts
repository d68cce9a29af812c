import { type Card, isOn } from "./cards";
import { withValue } from "./draft";
import { TEMPLATES } from "./templates";
import { useFlowEditor } from "./useEditor";

/** Switching an optional card on puts its template's file in; switching it off leaves the file where it is. */
export function useSwitch(card: Card | undefined) {
  const { document, draft, locked, replace } = useFlowEditor();
  const turn = (on: boolean) => {
    if (card?.optional === undefined || document === null) return;
    const { key, file } = card.optional;
    const text = draft.files[file] ?? TEMPLATES[key]?.[0]?.text ?? "";
    replace({
      files: on ? { ...draft.files, [file]: text } : draft.files,
      document: withValue(document, key, on ? { file } : undefined),
    });
  };
  return { on: card !== undefined && isOn(card, document), turn, locked: locked !== null };
}
