"""How much a document may make the engine do, whatever the specification says.

A specification is the flow's own, but the indexes, sizes and depths that it takes from the data are not:
``out[@(1,id)]`` with an id of two thousand million would allocate a list of that length in Java.
"""

from __future__ import annotations

from order_cancellation.jolt.errors import JoltTransformError

__all__ = ["MAX_DEPTH", "MAX_PADDING", "MAX_SPEC_DEPTH", "MAX_STEPS", "PaddingBudget"]

MAX_DEPTH = 400
"""Levels of a document, before and after each operation; Python's own stack ends at about 1,000."""

MAX_SPEC_DEPTH = 100
"""Levels of a specification; the longest known has twelve."""

MAX_PADDING = 1_000_000
"""Nulls that all lists of one run together may be filled with: 8 MB, and no sensible mapping nears it."""

MAX_STEPS = 1_000_000
"""Values that one operation may visit where shared values make a document look larger than it is."""


class PaddingBudget:
    """Counts the nulls that one run has filled lists with."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_PADDING

    def extend(self, target: list[object], size: int) -> None:
        """Fill a list with nulls up to a size, or say that the index can't be meant.

        Args:
            target: The list, which is changed.
            size: The length that it should have at least.

        Raises:
            JoltTransformError: The run has used up its nulls.
        """
        missing = size - len(target)
        if missing <= 0:
            return
        self.left -= missing
        if self.left < 0:
            raise JoltTransformError(
                f"A list index asks for more than {MAX_PADDING:,} empty list entries. "
                f"Write to an object key instead of a list index, or to 'x[]', if the number is an id."
            )
        target.extend([None] * missing)
