"""Measure the mapping engine: microseconds per document, beside reading and writing it as JSON.

``make bench`` calls ``measure``; the rows are printed and stored by it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from figure import Figure

_HERE = Path(__file__).resolve().parent
if str(_HERE.parent / "plugins") not in sys.path:
    sys.path.insert(0, str(_HERE.parent / "plugins"))

from order_cancellation.jolt import compile_spec  # noqa: E402 — the package is found by the line above

_TWENTY_FIELDS: list[dict[str, Any]] = [
    {
        "operation": "shift",
        "spec": {
            "id": "Ref",
            "uuid": "Key",
            "cancellation_type": "Type",
            "status": "Status",
            "created_date": "Dates.Created",
            "modified_date": "Dates.Modified",
            "description": "Note",
            "quantity": "Line.Quantity",
            "iban": "Bank.Iban",
            "holder_name": "Bank.Holder",
            "order_item": {
                "pk": "Line.Id",
                "price": "Line.Price",
                "tax_rate": "Line.TaxRate",
                "price_currency": "Line.Currency",
                "product": {"sku": "Line.Sku", "name": "Line.Name"},
                "order": {"number": "Order.Number", "amount": "Order.Amount"},
            },
            "customer": {"first_name": "Customer.First", "last_name": "Customer.Last"},
        },
    }
]

_CHAIN_OF_FIVE: list[dict[str, Any]] = [
    {
        "operation": "shift",
        "spec": {
            "id": "ref",
            "reason": {"subject": "reason"},
            "order_item": {
                "price": "line.price",
                "tax_rate": "line.tax",
                "product": {"sku": "line.sku", "productimage_set": {"*": {"image": "line.images"}}},
                "benefitapplicant_set": {
                    "*": {"amount": "line.discounts[&1].amount", "benefit": "line.discounts[&1].code"}
                },
            },
            "customer": {"*_name": "customer.&(0,1)"},
        },
    },
    {
        "operation": "modify-overwrite-beta",
        "spec": {
            "line": {"price": "=toDouble", "tax": "=toDouble", "net": "=divideAndRound(2,@(1,price),1.2)"},
            "customer": {"full": "=concat(@(1,first),' ',@(1,last))"},
        },
    },
    {"operation": "default", "spec": {"line": {"warehouse": "MAIN"}, "source": "omnitron"}},
    {"operation": "cardinality", "spec": {"line": {"images": "MANY"}}},
    {"operation": "remove", "spec": {"line": {"tax": ""}, "customer": {"first": "", "last": ""}}},
]

_WHOLE_OBJECT: list[dict[str, Any]] = [
    {
        "operation": "shift",
        "spec": {
            "order_item": {
                "order": {"*": "order.&"},
                "product": {"productimage_set": {"*": {"*": "images[&1].&"}}, "*": "product.&"},
                "*": "line.&",
            },
            "customer": {"*": "customer.&"},
            "reason": {"*": "reason.&"},
            "channel": {"*": "channel.&"},
            "*": "request.&",
        },
    },
    {"operation": "sort"},
]

MAPPINGS: dict[str, list[dict[str, Any]]] = {
    "mapping: plain shift of 20 fields": _TWENTY_FIELDS,
    "mapping: chain of five operations": _CHAIN_OF_FIVE,
    "mapping: whole object, wildcards and sort": _WHOLE_OBJECT,
}


def document() -> Any:
    """Return the cancellation request of the flow's document, with all its tables."""
    return json.loads((_HERE / "cancellation_request.json").read_text(encoding="utf-8"))


def _microseconds(*runs: Callable[[], Any], rounds: int = 15, times: int = 50) -> list[float]:
    """Return the time of one call of each, in the best of some rounds.

    The rounds take turns, so that whatever else the machine does disturbs all of them alike.
    """
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for place, run in enumerate(runs):
            start = time.perf_counter()
            for _ in range(times):
                run()
            best[place] = min(best[place], time.perf_counter() - start)
    return [seconds / times * 1e6 for seconds in best]


def _measure_one(name: str, spec: list[dict[str, Any]], request: Any) -> list[Figure]:
    text = json.dumps(request)
    mapping = compile_spec(spec)
    taken, floor = _microseconds(lambda: mapping(request), lambda: json.dumps(json.loads(text)))
    return [
        Figure(name, taken, "µs"),
        Figure(f"{name}, over reading and writing it as JSON", taken / floor, "times"),
    ]


def measure() -> list[Figure]:
    """Return each mapping's time, and its ratio to ``loads`` + ``dumps``."""
    request = document()
    return [figure for name, spec in MAPPINGS.items() for figure in _measure_one(name, spec, request)]


if __name__ == "__main__":
    for one in measure():
        print(f"{one.name:80} {one.shown:>8} {one.unit}")
