import { CompletionContext } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";

import { completeMapping, completePython, keysAbove } from "./completion";
import { sampleRequest } from "./request";

const offered = (complete: typeof completePython, text: string) => {
  const context = new CompletionContext(EditorState.create({ doc: text }), text.length, false);
  return complete(context)?.options.map(({ label }) => label) ?? [];
};

test.each([
  ['request["', "order_item"],
  ['request["order_item"]["order"]["num', "number"],
  ["request['customer'].get('ema", "email"],
  ['item["product"]["', "sku"],
  ['get_attribute("invoke', "invokehttp.status.code"],
  ['session.putAttribute(flowFile, "relation", "', "do_nothing"],
  ["session.", "putAttribute"],
  ["outputStream.wr", "write"],
  ["inp", "input_text"],
  ["session.transfer(flowFile, REL", "REL_SUCCESS"],
])("after %s, %s is offered", (text, label) => {
  expect(offered(completePython, text)).toContain(label);
});

test("fields of another object are not offered", () => {
  expect(offered(completePython, 'request["customer"]["')).not.toContain("sku");
});

test("a mapping's operations and the request's fields are offered", () => {
  expect(offered(completeMapping, '[{"operation": "')).toContain("modify-overwrite-beta");
  expect(offered(completeMapping, '[{"operation": "shift", "spec": {"order_item": {"product": {"')).toContain(
    "sku",
  );
});

test("closed objects are not above the cursor", () => {
  expect(keysAbove('[{"spec": {"reason": {"subject": "a"}, "order_item": {')).toEqual(["order_item"]);
});

test("the sample is a whole request with its inner objects", () => {
  expect(sampleRequest()).toMatchObject({
    id: 1,
    cancellation_type: "cancel",
    order_item: { pk: 5, order: { number: "429452907" }, product: { sku: "AKN-005" } },
    channel: { pk: 2 },
  });
});
