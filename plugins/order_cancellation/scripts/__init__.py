"""Users' scripts: run in a process of their own, in NiFi's form or plain."""

from order_cancellation.scripts.doctor import protections
from order_cancellation.scripts.outcome import Limits, Outcome, Protection
from order_cancellation.scripts.pool import ScriptPool
from order_cancellation.scripts.printed import mask, task_log_lines
from order_cancellation.scripts.runner import ScriptRunner
from order_cancellation.scripts.source import check_source
from order_cancellation.scripts.templates import TEMPLATES
from order_cancellation.scripts.upgrade import upgrade_source

__all__ = [
    "TEMPLATES",
    "Limits",
    "Outcome",
    "Protection",
    "ScriptPool",
    "ScriptRunner",
    "check_source",
    "mask",
    "protections",
    "task_log_lines",
    "upgrade_source",
]
