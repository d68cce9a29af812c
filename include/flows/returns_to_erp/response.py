# Reads the ERP's answer and says in `relation` what becomes of the request:
#   continue    the ERP has booked it: Omnitron is told, then the post script runs
#   failure     the ERP has refused it
#   do_nothing  not now: it is asked again at the next run
#   auth_fail   the login has ended: a new one, and one repeat
# `failure` on a 5xx counts as "perhaps booked" all the same: it is looked up, and never simply sent again.
import json

data = json.loads(input_text)
status = get_attribute("invokehttp.status.code", "")
answer = data["response_data"] if isinstance(data["response_data"], dict) else {}

if status.startswith("2") and answer.get("status") == "PENDING":
    relation = "do_nothing"
elif status.startswith("2"):
    relation = "continue"
    session.putAttribute("erp.reference", answer["reference"])
elif status == "401":
    relation = "auth_fail"
else:
    relation = "failure"
    session.putAttribute("log.erp.refusal", answer.get("code", "") + " " + answer.get("message", ""))

session.putAttribute("relation", relation)
