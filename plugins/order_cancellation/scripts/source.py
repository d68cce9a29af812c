"""Looks at a script without running it: does it parse, is it Python 2, and what is written today."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from order_cancellation.scripts.child import python2
from order_cancellation.scripts.child.java import NAMES as JAVA_NAMES
from order_cancellation.scripts.child.java import refusal

__all__ = ["check_source", "explain_syntax_error"]

SOURCE_LIMIT = 1 << 20
"""The longest script that is looked at, in characters."""

_CONSTRUCTS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]]] = [
    (
        re.compile(r"\bprint\s*>>\s*(\w[\w.]*)\s*,\s*(.*)"),
        lambda m: ("print >>", f"print({m[2].strip()}, file={m[1]})"),
    ),
    (
        re.compile(r"^(?:.*[:;])?\s*print\s+(?![=(])(.+?)\s*$"),
        lambda m: ("print without brackets", f"print({m[1]})"),
    ),
    (re.compile(r"^(?:.*[:;])?\s*print\s*$"), lambda _: ("print without brackets", "print()")),
    (
        re.compile(r"\bexcept\s+(\([^)]*\)|[\w.]+)\s*,\s*(\w+)\s*:"),
        lambda m: ("except E, e", f"except {m[1]} as {m[2]}:"),
    ),
    (
        re.compile(r"\braise\s+([\w.]+)\s*,\s*([^,]+?)(?:\s*,.*)?$"),
        lambda m: ("raise E, text", f"raise {m[1]}({m[2].strip()})"),
    ),
    (re.compile(r"`([^`]+)`"), lambda m: ("backticks", f"repr({m[1]})")),
    (re.compile(r"<>"), lambda _: ("<>", "!=")),
    (re.compile(r"\bur(?=['\"])", re.IGNORECASE), lambda _: ("the prefix ur", "r'…'")),
    (
        re.compile(r"(?<![\w.])0([0-7]+)[lL]?\b(?![.\w])"),
        lambda m: (f"the octal literal 0{m[1]}", f"0o{m[1]}"),
    ),
    (re.compile(r"(?<![\w.])(\d+|0[xX][0-9a-fA-F]+)[lL]\b"), lambda m: (f"the long literal {m[0]}", m[1])),
    (
        re.compile(r"\bexec\s+(?![=(])(.+?)(?:\s+in\s+(.+))?$"),
        lambda m: ("exec without brackets", f"exec({m[1]})"),
    ),
    (
        re.compile(r"\bdef\s+\w+\s*\(.*\(\s*\w+\s*,"),
        lambda _: (
            "a tuple among the parameters",
            "one name, and take it apart in the function's first line",
        ),
    ),
    (
        re.compile(r"\blambda\s*\(([^)]*)\)\s*:"),
        lambda m: ("a tuple among the parameters", f"lambda pair: … with pair[0], pair[1] for {m[1]}"),
    ),
]


def check_source(source: str, name: str = "script.py") -> list[str]:
    """Return what is wrong with a script, as its flow's validation shows it; no process is started.

    Args:
        source: The script.
        name: Its file name, for the messages.

    Returns:
        One message for each problem, with its line; empty where the script can be run.
    """
    if len(source) > SOURCE_LIMIT:
        return [f"{name}: the script is longer than {SOURCE_LIMIT} characters"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape like "\d" runs; its warning is none of validation's
            tree = ast.parse(source, name)
    except SyntaxError as error:
        problem = {"line": error.lineno or 1, "message": f"{type(error).__name__}: {error.msg}"}
        return [explain_syntax_error(source, name, problem)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [f"{name}, line 1: {type(error).__name__}: {error}"]
    found = sorted(set(_outdated(tree)) | set(_foreign(tree)))
    return [f"{name}, line {line}: {words}" for line, words in found]


def explain_syntax_error(source: str, name: str, problem: Mapping[str, Any]) -> str:
    """Return the message for a source that does not compile; old syntax is named, with today's spelling.

    Args:
        source: The script.
        name: Its file name.
        problem: ``line`` and ``message`` of the compiler.
    """
    lines = source.splitlines()
    line = int(problem["line"])
    found = _old_construct(lines, line)
    if found is not None:
        line, construct, today = found
        text = f"{name}, line {line}: {construct} is Python 2; today: {today}"
        return f"{text} ({_quoted(lines, line)}). order-cancellation upgrade-script converts the whole file"
    return f"{name}, line {line}: {problem['message']} ({_quoted(lines, line)})"


def _quoted(lines: list[str], line: int) -> str:
    return lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""


def _old_construct(lines: list[str], line: int) -> tuple[int, str, str] | None:
    """Find an old construct on the compiler's line, or right before it (it may notice one line late)."""
    for number in (line, line - 1):
        if 0 < number <= len(lines):
            text = _without_texts(lines[number - 1])
            for pattern, told in _CONSTRUCTS:
                found = pattern.search(text)
                if found is not None:
                    construct, today = told(_original(pattern, lines[number - 1]) or found)
                    return number, construct, today
    if "\t" in "".join(lines[max(0, line - 3) : line]) and any(one.startswith(" ") for one in lines):
        return line, "mixing tabs and spaces", "spaces only"
    return None


def _original(pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    """Find the construct in the line as it was written, for the spelling that is shown."""
    return pattern.search(line.split("#", 1)[0].rstrip())


def _without_texts(line: str) -> str:
    """Return a line with its comment cut off and the inside of its texts blanked."""
    blank = re.sub(
        r"('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][0], line
    )
    return blank.split("#", 1)[0].rstrip()


def _outdated(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give what parses today but fails at run time, as only Python 2 had it."""
    bound = _bound(tree)
    guarded = _guarded(tree)
    for node in ast.walk(tree):
        found = _old_use(node, bound)
        if found is not None and id(node) not in guarded:
            old, new = found
            yield node.lineno, f"{old} is Python 2; today: {new}"  # type: ignore[attr-defined]


def _old_use(node: ast.AST, bound: set[str]) -> tuple[str, str] | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
        new = python2.NAMES.get(node.id)
        return (node.id, new) if new and not hasattr(builtins, node.id) else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr not in bound:
        method = node.func.attr
        return (f".{method}()", python2.METHODS[method]) if method in python2.METHODS else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = f"{node.value.id}.{node.attr}"
        return (name, python2.MODULE_NAMES[name]) if name in python2.MODULE_NAMES else None
    return _old_print(node) or _old_import(node)


def _old_print(node: ast.AST) -> tuple[str, str] | None:
    """Find the print statements that parse: ``print >>file, x`` is a shift today, a bare ``print`` a name."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and _is_print(node.left):
        return ("print >>", f"print(…, file={ast.unparse(node.right)})")
    return (
        ("print without brackets", "print()")
        if isinstance(node, ast.Expr) and _is_print(node.value)
        else None
    )


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "print"


def _old_import(node: ast.AST) -> tuple[str, str] | None:
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        return None
    known = python2.MODULES | python2.MODULE_NAMES
    return next(((f"import of {name}", known[name]) for name in names if name in known), None)


def _bound(tree: ast.Module) -> set[str]:
    """Return every name that the script itself gives a meaning somewhere."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".", 1)[0])
    return bound - set(python2.MODULES)


def _guarded(tree: ast.Module) -> set[int]:
    """Return the nodes inside of careful ``try`` and of ``if`` on the version: those know what they do."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        careful = isinstance(node, ast.Try) and any(_catches_missing(handler) for handler in node.handlers)
        careful |= isinstance(node, ast.If | ast.IfExp) and "version" in ast.dump(node.test)
        if careful:
            inside |= {id(one) for one in ast.walk(node)}
    return inside


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    names = (
        {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else set()
    )
    return bool(names & {"NameError", "ImportError", "ModuleNotFoundError", "AttributeError"})


def _foreign(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give the imports from Java that are not here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in JAVA_NAMES:
            missing = [
                alias.name for alias in node.names if alias.name not in (*JAVA_NAMES[node.module], "*")
            ]
            yield from ((node.lineno, refusal(f"{node.module}.{name}")) for name in missing)
        elif isinstance(node, ast.ImportFrom) and node.module and _is_java(node.module):
            yield node.lineno, refusal(f"{node.module}.{node.names[0].name}")
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, refusal(one.name)) for one in node.names if _is_missing(one.name))


def _is_java(module: str) -> bool:
    return module.split(".", 1)[0] in {"java", "javax", "groovy", "jarray"} or module.startswith(
        "org.apache."
    )


def _is_missing(module: str) -> bool:
    parent, _, leaf = module.rpartition(".")
    return _is_java(module) and module not in JAVA_NAMES and leaf not in JAVA_NAMES.get(parent, ())
