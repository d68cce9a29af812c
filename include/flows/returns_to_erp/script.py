# The form of the Integrator (NiFi's ExecuteScript): the class gets the request on inputStream and writes what goes
# on to the mapping. It may be pasted as it is; the Python is today's.
import json

from java.nio.charset import StandardCharsets
from org.apache.commons.io import IOUtils
from org.apache.nifi.processor.io import StreamCallback


class TransformCallback(StreamCallback):
    def __init__(self):
        self.document_type = ""

    def process(self, inputStream, outputStream):
        request = json.loads(IOUtils.toString(inputStream, StandardCharsets.UTF_8))
        item = request["order_item"]
        self.document_type = "RETURN" if request["cancellation_type"] == "refund" else "CANCELLATION"
        # only what the ERP needs: no name, phone or address leaves Omnitron
        picked = {
            "id": request["id"],
            "uuid": request["uuid"],
            "type": request["cancellation_type"],
            "requested_on": request["created_date"][:10],
            "channel": request["channel"]["name"],
            "order": item["order"]["number"],
            "sku": item["product"]["sku"],
            "quantity": request["quantity"],
            "amount": item["net_amount"],
            "currency": item["price_currency"],
            "warehouse": (item["stock_list"] or {}).get("name"),
            "reason": request["reason"]["subject"],
        }
        outputStream.write(json.dumps(picked, ensure_ascii=False).encode("utf-8"))


flowFile = session.get()
if flowFile is not None:
    callback = TransformCallback()
    flowFile = session.write(flowFile, callback)
    # attributes are texts that travel with the request; the ERP call uses this one as a header
    flowFile = session.putAttribute(flowFile, "document.type", callback.document_type)
    # what begins with log. is written to the task's log
    flowFile = session.putAttribute(flowFile, "log.document.type", callback.document_type)
    session.transfer(flowFile, REL_SUCCESS)
