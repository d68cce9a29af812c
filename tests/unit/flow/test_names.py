"""Names of a flow's files."""

from __future__ import annotations

import pytest

from order_cancellation.flow.names import is_inside


@pytest.mark.parametrize("name", ["\ud800.py", "cases/\udfff.yaml"])
def test_half_a_character_is_no_name(name):
    assert not is_inside(name)


@pytest.mark.parametrize("name", ["script.py", "cases/büyük.yaml", "notes/İade 1.md"])
def test_letters_of_any_language_are(name):
    assert is_inside(name)
