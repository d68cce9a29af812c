"""What a new flow begins with: plain files, a folder each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.templates import TEMPLATES as SCRIPTS

__all__ = ["TEMPLATES", "Template", "template_files"]

_PYTHON = ".py.txt"
"""How the scripts here end, so that nobody takes them for modules of ours."""


@dataclass(frozen=True)
class Template:
    """A flow to begin with.

    Args:
        name: Its folder's name.
        title: What it is called.
        description: What it is for.
    """

    name: str
    title: str
    description: str


TEMPLATES = (
    Template("empty", "Empty", "Fetches, sends each request as it is, and completes what the ERP took."),
    Template(
        "returns_to_erp",
        "Returns to an ERP (POST)",
        "Script, mapping, look-up, idempotency key, response script and saved cases, ready to be changed.",
    ),
    Template(
        "nifi", "NiFi scripts", "Scripts in the form of NiFi's ExecuteScript, to paste the Integrator's over."
    ),
)

_FROM_SCRIPTS = {
    "nifi": {
        "script.py": "script_nifi",
        "response.py": "custom_response_nifi",
        "post.py": "post_script_nifi",
    }
}


def template_files(name: str) -> dict[str, bytes]:
    """Return a template's files: relative path to content.

    Args:
        name: One of ``TEMPLATES``.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if name not in {template.name for template in TEMPLATES}:
        known = ", ".join(template.name for template in TEMPLATES)
        raise ConfigurationError(f"'{name[:60]}' is no template. Take one of {known}.")
    found = dict(_files_in(files(__name__) / name, ""))
    scripts = {file: SCRIPTS[source].encode() for file, source in _FROM_SCRIPTS.get(name, {}).items()}
    return found | scripts


def _files_in(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files_in(entry, f"{prefix}{entry.name}/")
        else:
            file = entry.name.removesuffix(".txt") if entry.name.endswith(_PYTHON) else entry.name
            yield f"{prefix}{file}", entry.read_bytes()
