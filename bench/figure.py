"""What the benchmark measures: a value, and the bound that it has to keep to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        name: What was measured.
        value: How much.
        unit: Of what.
        least: The least that it may be.
        most: The most that it may be.
    """

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def aim(self) -> str:
        """The bounds as people write them; nothing where there is none."""
        if self.least == self.most:
            return "" if self.most is None else f"{self.most:.4g}"
        return f">= {self.least:.4g}" if self.most is None else f"<= {self.most:.4g}"

    @property
    def holds(self) -> bool | None:
        """Whether the value keeps to its bounds; None where there is none."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )

    @property
    def shown(self) -> str:
        """The value with as many digits as mean something."""
        return f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:.3g}"

    def as_json(self) -> dict[str, Any]:
        """The figure for programs."""
        return asdict(self) | {"aim": self.aim, "holds": self.holds}
