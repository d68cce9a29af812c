"""The scripts that a new flow starts with, plain and in NiFi's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

__all__ = ["TEMPLATES"]

_NAMES = tuple(
    f"{step}{form}" for step in ("script", "custom_response", "post_script") for form in ("", "_nifi")
)


class _Templates(Mapping[str, str]):
    """The templates by name, read from their files when they are asked for."""

    def __getitem__(self, name: str) -> str:
        if name not in _NAMES:
            raise KeyError(name)
        return (files(__name__) / f"{name}.py.txt").read_text(encoding="utf-8")

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


TEMPLATES: Mapping[str, str] = _Templates()
"""``script``, ``custom_response``, ``post_script``, and each with ``_nifi``: the source of the template."""
