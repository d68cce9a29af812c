"""Puts back what a run may have changed in the shared interpreter, before the next request comes.

This keeps accidents (a patched ``json``, a changed ``sys.path``, a signal handler) from reaching the next
request. A script that means harm can still find a way: ``isolation: per_request`` is the wall.
"""

from __future__ import annotations

import builtins
import gc
import os
import signal
import sys
from collections.abc import Mapping
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Tidy"]

_LISTS = ("path", "meta_path", "path_hooks", "warnoptions")
_HEAP_TYPE = 1 << 9
_SIGNALS = tuple(
    getattr(signal, name)
    for name in (
        "SIGALRM",
        "SIGVTALRM",
        "SIGPROF",
        "SIGUSR1",
        "SIGUSR2",
        "SIGTERM",
        "SIGINT",
        "SIGXCPU",
        "SIGCHLD",
    )
    if hasattr(signal, name)
)


class Tidy:
    """A picture of the interpreter's state, taken when the script was prepared.

    Args:
        deep: Names of modules whose classes are looked after too (those that the script imports).
    """

    def __init__(self, deep: set[str]) -> None:
        self._modules = dict(sys.modules)
        self._pictures = [_picture(vars(module)) for module in self._watched()]
        self._classes = [(kind, tuple(vars(kind).values()), dict(vars(kind))) for kind in self._kinds(deep)]
        self._lists = [(value, list(value)) for value in (getattr(sys, name) for name in _LISTS)]
        self._handlers = [(number, signal.getsignal(number)) for number in _SIGNALS]
        self._recursion = sys.getrecursionlimit()

    def _watched(self) -> list[ModuleType]:
        modules = {id(module): module for module in self._modules.values() if type(module) is ModuleType}
        modules.pop(id(sys.modules.get("__main__")), None)
        modules.pop(id(sys), None)
        modules[id(builtins)] = builtins
        return list(modules.values())

    def _kinds(self, deep: set[str]) -> list[type]:
        owned = [name for name in self._modules if name.split(".", 1)[0] in deep]
        kinds = {
            id(kind): kind
            for name in owned
            for kind in vars(self._modules[name]).values()
            if isinstance(kind, type) and kind.__flags__ & _HEAP_TYPE and kind.__module__ in owned
        }
        return list(kinds.values())

    def restore(self) -> None:
        """Put everything back that is not as it was; cheap where nothing changed."""
        for names, values, picture in self._pictures:
            if not _same(names, values):
                names.clear()
                names.update(picture)
        for kind, values, picture in self._classes:
            if not _same(vars(kind), values):
                _restore_class(kind, picture)
        for value, before in self._lists:
            value[:] = before
        self._restore_modules()
        self._restore_interpreter()

    def _restore_modules(self) -> None:
        """Put modules back, and take away what a script put there itself; what it imported may stay."""
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
        if len(sys.modules) > len(self._modules):
            for name in [name for name in sys.modules if name not in self._modules]:
                if getattr(sys.modules[name], "__spec__", None) is None:
                    del sys.modules[name]

    def _restore_interpreter(self) -> None:
        if sys.gettrace() is not None:
            sys.settrace(None)
        if sys.getprofile() is not None:
            sys.setprofile(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._handlers:
            if signal.getsignal(number) is not handler and number != signal.SIGALRM:
                signal.signal(number, handler)
        sys.excepthook, sys.displayhook = sys.__excepthook__, sys.__displayhook__
        sys.setrecursionlimit(self._recursion)
        os.environ.clear()
        gc.callbacks.clear()
        gc.enable()
        if "random" in sys.modules:
            sys.modules["random"].seed()


def _picture(names: dict[str, Any]) -> tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]:
    return names, tuple(names.values()), dict(names)


def _same(names: Mapping[str, Any], values: tuple[Any, ...]) -> bool:
    """Compare in one go, which stops at each value's identity; this is what each request pays for."""
    try:
        return tuple(names.values()) == values
    except Exception:  # noqa: BLE001 - a value that a script put there may compare as it likes
        return False


def _restore_class(kind: type, picture: dict[str, Any]) -> None:
    for name in set(vars(kind)) - set(picture):
        delattr(kind, name)
    for name, value in picture.items():
        if vars(kind).get(name) is not value:
            try:
                setattr(kind, name, value)
            except (AttributeError, TypeError):
                continue
