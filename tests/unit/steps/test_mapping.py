"""A mapped document is one that can be written down and sent."""

from __future__ import annotations

import pytest

from order_cancellation.errors import MappingFailed
from order_cancellation.steps.mapping import map_document


def doubled(value, times):
    """Put a value beside itself again and again, as a few lines of a chain can."""
    for _ in range(times):
        value = {"a": value, "b": [value]}
    return value


def test_what_the_chain_gives_is_the_document():
    assert map_document(lambda document: doubled(document, 3), {"id": 1}) == doubled({"id": 1}, 3)


@pytest.mark.parametrize(
    "enormous", [doubled({"id": 1}, 60), ["x" * 2**23] * 9, {"x" * 2**23 + str(n): n for n in range(9)}]
)
def test_one_that_is_enormous_fails_its_request(enormous):
    """Its parts are shared, so it takes little memory, and writing it would take all there is."""
    with pytest.raises(MappingFailed, match="more than 64 MB or 1,000,000 values"):
        map_document(lambda _document: enormous, {"id": 1})


def test_null_is_none():
    with pytest.raises(MappingFailed, match="gave null"):
        map_document(lambda _document: None, {"id": 1})
