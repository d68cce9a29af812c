"""The functions that ``modify`` can call, by name."""

from __future__ import annotations

from order_cancellation.jolt.functions.dates import DATES
from order_cancellation.jolt.functions.families import Function
from order_cancellation.jolt.functions.lists import LISTS
from order_cancellation.jolt.functions.numbers import NUMBERS
from order_cancellation.jolt.functions.text import TEXT
from order_cancellation.jolt.functions.types import TYPES

__all__ = ["FUNCTIONS", "Function"]

FUNCTIONS: dict[str, Function] = {**TEXT, **NUMBERS, **TYPES, **LISTS, **DATES}
