"""Puts back what a run may have changed in the shared interpreter, before the next request comes.

This keeps accidents (a patched ``json``, a changed ``sys.path``, a signal handler) from reaching the next
request. A script that means harm can still find a way: ``isolation: per_request`` is the wall.
"""

from __future__ import annotations

import builtins
import gc
import operator
import os
import random
import signal
import sys
from types import ModuleType
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
        self._pictures = [(vars(module), dict(vars(module))) for module in self._watched()]
        self._classes = [(kind, dict(vars(kind))) for kind in self._kinds(deep)]
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
        for names, picture in self._pictures:
            if not _same(names, picture):
                names.clear()
                names.update(picture)
        for kind, picture in self._classes:
            if not _same(vars(kind), picture):
                _restore_class(kind, picture)
        for value, before in self._lists:
            value[:] = before
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module
        self._restore_interpreter()

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
        random.seed()


def _same(names: Any, picture: dict[str, Any]) -> bool:
    """Compare by identity, so that no ``__eq__`` of a script is called."""
    if len(names) != len(picture):
        return False
    return all(map(_is, names.values(), picture.values())) and names.keys() == picture.keys()


_is = operator.is_


def _restore_class(kind: type, picture: dict[str, Any]) -> None:
    for name in set(vars(kind)) - set(picture):
        delattr(kind, name)
    for name, value in picture.items():
        if vars(kind).get(name) is not value:
            try:
                setattr(kind, name, value)
            except (AttributeError, TypeError):
                continue
