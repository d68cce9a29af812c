"""The icons in Airflow's menu are images: no style sheet reaches them, on the active entry either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "plugins" / "order_cancellation" / "api" / "static"
ACTIVE = "3c5b89"
MENUS = {"": ("ffffff", "dce7f5", ACTIVE), "-dark": ("1d3358", ACTIVE)}
"""What lies behind an icon, by theme: Airflow's menu and its active entry."""

LEAST = 3.0
"""The contrast that WCAG asks of graphics."""


def luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["flows", "requests"])
@pytest.mark.parametrize("theme", list(MENUS))
def test_an_icon_is_seen_in_the_menu_and_on_its_own_active_entry(name: str, theme: str) -> None:
    """No single tone has this contrast on both in the light theme: there the dark lines have a light edge."""
    lines = re.findall(r'stroke="#([0-9a-f]{6})"', (STATIC / f"{name}{theme}.svg").read_text())
    for behind in MENUS[theme]:
        assert max(contrast(line, behind) for line in lines) >= LEAST, behind
    assert all(contrast(one, other) >= LEAST for one in lines for other in lines if one != other)
