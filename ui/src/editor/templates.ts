/** What a step begins with when its card is switched on. The scripts are the ones that the package itself brings. */
import response from "../../../plugins/order_cancellation/scripts/templates/custom_response.py.txt?raw";
import responseNifi from "../../../plugins/order_cancellation/scripts/templates/custom_response_nifi.py.txt?raw";
import post from "../../../plugins/order_cancellation/scripts/templates/post_script.py.txt?raw";
import postNifi from "../../../plugins/order_cancellation/scripts/templates/post_script_nifi.py.txt?raw";
import script from "../../../plugins/order_cancellation/scripts/templates/script.py.txt?raw";
import scriptNifi from "../../../plugins/order_cancellation/scripts/templates/script_nifi.py.txt?raw";

const mapping = `[
  {
    "operation": "shift",
    "spec": {
      "id": "request_id",
      "uuid": "reference",
      "cancellation_type": "type",
      "order_item": {
        "order": { "number": "order_number" },
        "product": { "sku": "lines[0].item" },
        "net_amount": "lines[0].amount",
        "price_currency": "lines[0].currency"
      },
      "reason": { "subject": "lines[0].reason" }
    }
  }
]
`;

export interface Template {
  name: string;
  text: string;
}

export const TEMPLATES: Readonly<Record<string, readonly Template[]>> = {
  script: [
    { name: "Plain", text: script },
    { name: "NiFi's form", text: scriptNifi },
  ],
  mapping: [{ name: "Shift", text: mapping }],
  custom_response: [
    { name: "Plain", text: response },
    { name: "NiFi's form", text: responseNifi },
  ],
  post_script: [
    { name: "Plain", text: post },
    { name: "NiFi's form", text: postNifi },
  ],
};
