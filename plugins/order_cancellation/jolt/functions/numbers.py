"""Arithmetic with Java's types: integers wrap, quotients are doubles, texts count as numbers in places."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from order_cancellation.jolt.functions.families import Function, each, of_list, of_list_or_one
from order_cancellation.jolt.functions.types import as_double, as_int, as_long, as_number
from order_cancellation.jolt.java import INT_MAX, JavaLong, is_integer, is_long, is_number, to_int32, to_int64
from order_cancellation.jolt.walk import NOTHING

__all__ = ["NUMBERS"]

_PAIR = 2
_DECIMALS = decimal.Context(prec=800)
_LONG_MAX = 2**63 - 1
_DOUBLE_MAX = 1.7976931348623157e308


def _extreme(items: list[Any], *, sign: int) -> Any:
    """Return the largest (sign 1) or smallest (sign -1) number, compared by the whole part as Java does."""
    numbers = [number for item in items if (number := as_number(item)) is not NOTHING]
    ints = [n for n in numbers if is_integer(n)]
    longs = [n for n in numbers if is_long(n)]
    doubles = [n for n in numbers if isinstance(n, float)]
    if not (ints or longs or doubles):
        return NOTHING
    best = max if sign > 0 else min
    best_int = best(ints, default=-INT_MAX - 1 if sign > 0 else INT_MAX)
    best_long = best(longs, default=-_LONG_MAX - 1 if sign > 0 else _LONG_MAX)
    best_double = best(doubles, default=-sign * _DOUBLE_MAX)
    if sign * best_int >= max(sign * to_int64(best_double), sign * best_long):
        return best_int
    return JavaLong(best_long) if sign * best_long >= sign * to_int64(best_double) else best_double


def _number_itself(value: Any) -> Any:
    return value if is_number(value) else NOTHING


def _abs(value: Any) -> Any:
    number = as_number(value)
    if number is NOTHING:
        return NOTHING
    if isinstance(number, float):
        return math.fabs(number)
    if is_integer(number):
        return to_int32(abs(number))
    return JavaLong(to_int64(abs(number))) if is_long(number) else NOTHING


def _average(items: list[Any]) -> Any:
    numbers = [float(number) for item in items if (number := as_number(item)) is not NOTHING]
    return sum(numbers) / len(numbers) if numbers else NOTHING


def _sum(convert: Callable[[Any], Any], total: Callable[[Any], Any]) -> Function:
    def add(items: list[Any]) -> Any:
        return total(sum(number for item in items if (number := convert(item)) is not NOTHING))

    return of_list(add)


def _subtract(is_kind: Callable[[Any], bool], result: Callable[[Any], Any]) -> Function:
    def subtract(items: list[Any]) -> Any:
        if len(items) != _PAIR or not all(map(is_kind, items)):
            return NOTHING
        return result(items[0] - items[1])

    return of_list(subtract)


def _of_pair(compute: Callable[[float, float], Any]) -> Function:
    def apply(items: list[Any]) -> Any:
        numbers = [as_number(item) for item in items]
        if len(numbers) != _PAIR or any(number is NOTHING for number in numbers):
            return NOTHING
        return compute(float(numbers[0]), float(numbers[1]))

    return apply


_divide = _of_pair(lambda first, second: first / second if second else NOTHING)
_multiply = _of_pair(lambda first, second: first * second)

_ROUNDING = {
    name: getattr(decimal, f"ROUND_{name}")
    for name in ("UP", "DOWN", "CEILING", "FLOOR", "HALF_UP", "HALF_DOWN", "HALF_EVEN")
}


def _rounded(compute: Function) -> Function:
    """Make ``name(digits, a, b)`` and ``name(digits, 'DOWN', a, b)`` of ``name(a, b)``."""

    def apply(items: list[Any]) -> Any:
        digits, *rest = items
        mode = decimal.ROUND_HALF_UP
        if len(rest) > _PAIR and isinstance(rest[0], str):
            mode = _ROUNDING[rest.pop(0)]
        value = compute(rest)
        if value is NOTHING or not is_integer(digits):
            return NOTHING
        step = Decimal(1).scaleb(-digits)
        return float(Decimal(repr(value)).quantize(step, rounding=mode, context=_DECIMALS))

    return of_list(apply)


NUMBERS: dict[str, Function] = {
    "max": of_list_or_one(lambda items: _extreme(items, sign=1), _number_itself),
    "min": of_list_or_one(lambda items: _extreme(items, sign=-1), _number_itself),
    "abs": each(_abs),
    "avg": of_list(_average),
    "intSum": _sum(as_int, to_int32),
    "longSum": _sum(as_long, lambda total: JavaLong(to_int64(total))),
    "doubleSum": _sum(as_double, float),
    "intSubtract": _subtract(is_integer, to_int32),
    "longSubtract": _subtract(is_long, lambda total: JavaLong(to_int64(total))),
    "doubleSubtract": _subtract(lambda item: isinstance(item, float), float),
    "divide": of_list(_divide),
    "divideAndRound": _rounded(_divide),
    "multiply": of_list(_multiply),
    "multiplyAndRound": _rounded(_multiply),
}
