/** What a flow may be called: the same rule as the server's, said while one types. */
export function faultOfId(id: string, taken: readonly string[]): string | null {
  if (id === "") return null;
  if (!/^[A-Za-z0-9_-]+$/.test(id)) return "Letters, digits, _ and - only.";
  if (id.length > 60) return "60 characters at most.";
  if (taken.some((other) => other.toLowerCase() === id.toLowerCase())) return "There is a flow of this id.";
  return null;
}

/** An id for a name: "Acme to SAP" → acme_to_sap. */
export const idFor = (name: string) =>
  name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll("ı", "i")
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 60);
