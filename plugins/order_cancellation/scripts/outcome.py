"""What a run of a script gives back, and how it is limited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["MAX_TIMEOUT_S", "Limits", "Outcome", "Protection"]

MAX_TIMEOUT_S = 300.0
"""The document's product's own limit for one run of a script."""


@dataclass(frozen=True)
class Limits:
    """What one run of a script may use.

    Args:
        timeout_s: Wall time, and with one thread also processor time, in seconds; 300 at most.
        memory_bytes: Address space of the whole process.
        output_bytes: What the script may write.
        open_files: Descriptors at the same time.
    """

    timeout_s: float = 30.0
    memory_bytes: int = 512 << 20
    output_bytes: int = 64 << 20
    open_files: int = 64


@dataclass(frozen=True)
class Outcome:
    """What one run of a script left behind.

    Args:
        result_data: What was written, or None where nothing was (the input then goes on unchanged).
        attributes: All attributes there are after the run, also when it failed.
        printed: What the script printed, up to 64 KB.
        error: What went wrong, with file, line and the line's text; None where nothing did.
        log_lines: Level and text of each line that the script gave to ``log``.
    """

    result_data: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    printed: str = ""
    error: str | None = None
    log_lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Protection:
    """One layer between scripts and the machine.

    Args:
        name: What it keeps away, in words for people.
        in_force: Whether it works here.
        detail: How it is done, or why it can't be.
        essential: Whether ``script_isolation = required`` insists on it.
    """

    name: str
    in_force: bool
    detail: str
    essential: bool = False

    def __str__(self) -> str:
        """Return the line of ``doctor`` and of the task log."""
        return f"{self.name}: {'in force' if self.in_force else 'ABSENT'} ({self.detail})"
