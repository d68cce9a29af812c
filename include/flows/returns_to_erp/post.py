# Runs when the ERP has booked the request and Omnitron knows. Its output is not used.
# Here it leaves a line in the task's log; a merchant may tell a CRM.
session.putAttribute("log.booked", "document " + get_attribute("erp.reference", "without reference"))
