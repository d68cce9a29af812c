import { expect, test } from "vitest";

import { faultOfId, idFor } from "./flowId";

test.each([
  ["Acme to SAP", "acme_to_sap"],
  ["İadeler → ERP", "iadeler_erp"],
  ["Kırık Çorap", "kirik_corap"],
  ["  ", ""],
])("%s is called %s", (name, id) => {
  expect(idFor(name)).toBe(id);
});

test.each([
  ["acme", null],
  ["a b", "Letters, digits, _ and - only."],
  ["TAKEN", "There is a flow of this id."],
  ["x".repeat(61), "60 characters at most."],
])("%s: %s", (id, fault) => {
  expect(faultOfId(id, ["taken"])).toBe(fault);
});
