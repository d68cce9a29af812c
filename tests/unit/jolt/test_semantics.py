"""Single rules of Jolt, one row each, as the Java original was seen to follow them."""

from __future__ import annotations

import pytest

from order_cancellation.jolt import JoltTransformError, compile_spec


def run(operation, spec, document):
    return compile_spec({"operation": operation, "spec": spec})(document)


SHIFTS = {
    "a key hit twice makes a list": ({"a": "x", "b": "x"}, {"a": 1, "b": 2}, {"x": [1, 2]}),
    "a list that is there is appended to": ({"a": "x", "b": "x"}, {"a": [1, 2], "b": 3}, {"x": [1, 2, 3]}),
    "null is replaced": ({"a": "x", "b": "x"}, {"a": None, "b": 2}, {"x": 2}),
    "nothing is written below a scalar": ({"a": "x", "b": "x.y"}, {"a": 1, "b": 2}, {"x": 1}),
    "brackets make a list": ({"a": "x[]"}, {"a": 1}, {"x": [1]}),
    "an index pads with null": ({"a": "x[2]"}, {"a": 1}, {"x": [None, None, 1]}),
    "no match gives null": ({"zz": "x"}, {"a": 1}, None),
    "# counts matches": ({"l": {"*": {"v": "o[#2]"}}}, {"l": [{"u": 0}, {"v": 1}]}, {"o": [None, 1]}),
    "a name beats a star": ({"*": "s", "abc": "l"}, {"abc": 1, "q": 4}, {"l": 1, "s": 4}),
    "the longer pattern goes first": ({"a*": "1", "ab*": "2"}, {"abc": 1}, {"2": 1}),
    "a star takes one character at least": ({"t-*": "x.&"}, {"t-": 1, "t-a": 2}, {"x": {"t-a": 2}}),
    "a value is matched as text": ({"a": {"true": {"#Y": "f"}}}, {"a": True}, {"f": "Y"}),
    "a double is matched as Java prints it": ({"a": {"1.0E8": {"#Y": "f"}}}, {"a": 1e8}, {"f": "Y"}),
    "a looked-up key loses its fraction": ({"a": "p.@(1,d)"}, {"a": 2, "d": 2.9}, {"p": {"2": 2}}),
    "a missing look-up writes nothing": ({"a": "o.@(1,zz)"}, {"a": 1}, None),
    "a sign in the middle is a character": ({"a$b": "x#y"}, {"a$b": 1}, {"x#y": 1}),
    "a backslash makes a dot a character": ({"a\\.b": "x\\.y.z"}, {"a.b": 1}, {"x.y": {"z": 1}}),
    "a list at the top is walked": ({"*": {"a": "[&1].b"}}, [{"a": 1}, {"a": 2}], [{"b": 1}, {"b": 2}]),
    "two targets share one object": (
        {"l": ["p", "q"], "a": "p"},
        {"l": [1], "a": 2},
        {"p": [1, 2], "q": [1, 2]},
    ),
}


@pytest.mark.parametrize(("spec", "document", "expected"), SHIFTS.values(), ids=SHIFTS)
def test_shift(spec, document, expected):
    assert run("shift", spec, document) == expected


FUNCTIONS = {
    "divide gives doubles": ("=divide(6,3)", {}, 2.0),
    "a rounding mode may be named": ("=divideAndRound(2,'DOWN',2,3)", {}, 0.66),
    "half goes up": ("=divideAndRound(2,1,8)", {}, 0.13),
    "texts count in sums": ("=intSum('5',2.9,true)", {}, 7),
    "sums wrap": ("=intSum(2147483647,1)", {}, -2147483648),
    "whole parts are compared": ("=max(2,2.9)", {}, 2),
    "doubles print as in Java": ("=toString(@(1,d))", {"d": 12345678.9}, "1.23456789E7"),
    "what JSON has no number for is a text": ("=toDouble('1e400')", {}, "Infinity"),
    "objects print as in Java": ("=toString(@(1,m))", {"m": {"k": [1, None]}}, "{k=[1, null]}"),
    "concat skips null": ("=concat(@(1,a),'-',@(1,n),1.0)", {"a": "A", "n": None}, "A-1.0"),
    "join keeps a separator before a last null": ("=join(' ',@(1,a),@(1,n))", {"a": "A", "n": None}, "A "),
    "split takes a regular expression": ("=split('[.]','1.2')", {}, ["1", "2"]),
    "split drops empty ends": ("=split(',','a,,b,,')", {}, ["a", "", "b"]),
    "groups stand in replacements": ("=replaceAll('tuna','(u)(n)','$2$1')", {}, "tnua"),
    "replace takes all of a plain text": ("=replace('a.b.c','.','-')", {}, "a-b-c"),
    "size counts UTF-16": ("=size(@(1,s))", {"s": "a😀"}, 3),
    "substring counts UTF-16": ("=substring(@(1,s),0,3)", {"s": "a😀b"}, "a😀"),
    "an unknown function gives its first argument": ("=nosuch(@(1,a),2)", {"a": 1}, 1),
    "a single list is the arguments": ("=concat(@(1,l))", {"l": ["1", "b", None]}, "1b"),
    "duplicates have one type": ("=squashDuplicates(@(1,l))", {"l": [1, 1.0, "1", 1]}, [1, 1.0, "1"]),
    "quotes keep commas": ("=concat('a b', c d ,'e,f',,5)", {}, "a bc de,f5"),
    "toLong is no Integer for substring": (
        ["=substring('tuna',0,@(1,n))", "none"],
        {"n": 3000000000},
        "none",
    ),
    "the first available counts": (["=toInteger(@(1,zz))", "=notNull(@(1,n))", "d"], {"n": None}, "d"),
    "dates are read and written by patterns": (
        "=formatDate('2023-02-07','yyyy-MM-dd','dd.MM.yy')",
        {},
        "07.02.23",
    ),
    "the 31st of February is its last day": (
        "=formatDate('2023-02-31','yyyy-MM-dd','yyyyMMdd')",
        {},
        "20230228",
    ),
    "a date that does not fit gives nothing": (["=toEpochMilli('x','yyyy','UTC')", 0], {}, 0),
    "milliseconds become a date": ("=fromEpochMilli(1675758933392)", {}, "2023-02-07T08:35:33Z"),
    "a month more ends with its month": ("=dateAdd('2023-01-31','yyyy-MM-dd','P1M','UTC')", {}, "2023-02-28"),
    "two hours more": (
        "=dateAdd('2023-01-31 23:00','yyyy-MM-dd HH:mm','PT2H','UTC')",
        {},
        "2023-02-01 01:00",
    ),
    "a day less": ("=dateSubstract('2023-03-01','yyyy-MM-dd','P1D','UTC')", {}, "2023-02-28"),
    "zones shift the hour": (
        "=formatDate('2023-01-01 12:00','yyyy-MM-dd HH:mm','HH:mmXXX','Europe/Istanbul','UTC')",
        {},
        "09:00Z",
    ),
    "half days need AM or PM": ("=formatDate('1/2/2023 1:05 PM','d/M/yyyy h:mm a','HH:mm')", {}, "13:05"),
}


@pytest.mark.parametrize(("written", "document", "expected"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(written, document, expected):
    value = run("modify-overwrite-beta", {"x": written}, document)["x"]
    assert (type(value), value) == (type(expected), expected)


MODES = {
    "overwrite sets always": ("modify-overwrite-beta", {"a": 5, "n": 5, "z": 5}),
    "default sets what is null or missing": ("modify-default-beta", {"a": 1, "n": 5, "z": 5}),
    "define sets what is missing": ("modify-define-beta", {"a": 1, "n": None, "z": 5}),
    "the names without -beta are the same": ("modify-define", {"a": 1, "n": None, "z": 5}),
}


@pytest.mark.parametrize(("operation", "expected"), MODES.values(), ids=MODES)
def test_modes_of_modify(operation, expected):
    assert run(operation, {"a": 5, "n": 5, "z": 5}, {"a": 1, "n": None}) == expected


def test_a_looked_up_object_is_shared():
    spec = {"copy": "@(1,c)", "c": {"n": 5}}
    assert run("modify-overwrite-beta", spec, {"c": {"m": 1}}) == {
        "c": {"m": 1, "n": 5},
        "copy": {"m": 1, "n": 5},
    }


def test_remove_takes_indexes_out_at_once():
    spec = {"l": {"0": "", "1": ""}, "m": {"*": {"x": ""}}}
    assert run("remove", spec, {"l": [1, 2, 3], "m": [{"x": 1, "y": 2}]}) == {"l": [3], "m": [{"y": 2}]}


def test_cardinality_of_null_is_an_empty_list():
    assert run("cardinality", {"a": "MANY", "b": "ONE"}, {"a": None, "b": [5, 6]}) == {"a": [], "b": 5}


def test_cardinality_refuses_the_entries_of_lists():
    with pytest.raises(JoltTransformError, match=r"spec\.l\.\*"):
        run("cardinality", {"l": {"*": "ONE"}}, {"l": [[1]]})


def test_default_fills_lists_up():
    assert run("default", {"l[]": {"1": "x", "*": "y"}}, {"l": []}) == {"l": ["y", "x"]}


def test_sort_puts_the_tilde_first():
    assert list(run("sort", None, {"b": 1, "B": 2, "~z": 3, "é": 4})) == ["~z", "B", "b", "é"]
