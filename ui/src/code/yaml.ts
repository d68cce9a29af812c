/** YAML in colours: what its lines show, without a grammar, which would double the editor's. */
import { StreamLanguage, type StringStream } from "@codemirror/language";

interface Place {
  /** How far the key is indented whose text follows in lines of its own; null: none does. */
  block: number | null;
}

const KEY = /^(?:"[^"]*"|'[^']*'|[^\s#:,[\]{}"'][^:#,[\]{}]*?)(?=\s*:(?:\s|$))/;
const QUOTED = /^(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?)/;
const BLOCK = /^[|>][-+\d]*(?=\s*(?:#.*)?$)/;
/** What stands before a value: in the middle of one, a number is a word like the others. */
const BEGINS = /(?:^|[-:,[{])\s*$/;
const END = "(?=\\s*(?:$|[,\\]}]|\\s#))";
const WORD = new RegExp(`^(?:true|false|null|~)${END}`);
const NUMBER = new RegExp(`^-?\\d+(?:\\.\\d+)?${END}`);
const PLAIN = /^(?:(?:[^\s,[\]{}:]|:(?!\s|$))+|.)/;

function token(stream: StringStream, place: Place): string | null {
  if (stream.sol() && place.block !== null) {
    if (stream.string.trim() === "" || stream.indentation() > place.block) {
      stream.skipToEnd();
      return "string";
    }
    place.block = null;
  }
  const isApart = stream.sol() || /\s/.test(stream.string.charAt(stream.pos - 1));
  if (stream.eatSpace()) return null;
  if (isApart && stream.peek() === "#") {
    stream.skipToEnd();
    return "comment";
  }
  if (stream.match(BLOCK) !== null) {
    place.block = stream.indentation();
    return "keyword";
  }
  if (stream.match(KEY) !== null) return "propertyName";
  if (stream.match(QUOTED) !== null) return "string";
  const isWhole = BEGINS.test(stream.string.slice(0, stream.pos));
  if (isWhole && stream.match(WORD) !== null) return "bool";
  if (isWhole && stream.match(NUMBER) !== null) return "number";
  stream.match(PLAIN);
  return null;
}

export const yaml = StreamLanguage.define<Place>({
  name: "yaml",
  startState: () => ({ block: null }),
  copyState: (place) => ({ ...place }),
  token,
  languageData: { commentTokens: { line: "#" } },
});
