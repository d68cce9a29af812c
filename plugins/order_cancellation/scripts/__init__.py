"""Users' scripts: run in a process of their own, in NiFi's form or plain."""

from order_cancellation.scripts.outcome import Limits, Outcome, Protection
from order_cancellation.scripts.runner import ScriptRunner
from order_cancellation.scripts.source import check_source

__all__ = ["Limits", "Outcome", "Protection", "ScriptRunner", "check_source"]
