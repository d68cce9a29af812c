"""``shift``: the specification is walked along with the document, and its leaves say where values go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import parse_integer, to_string
from order_cancellation.jolt.keys import (
    Amp,
    Array,
    At,
    Dollar,
    Element,
    Hash,
    KeySyntaxError,
    Literal,
    Pattern,
    Reference,
    Transpose,
    canonical,
    match_pattern,
    parse_key,
    split_alternatives,
)
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.paths import Path, parse_path
from order_cancellation.jolt.patterns import Matcher, compile_matcher, match_anything, pattern_order
from order_cancellation.jolt.report import Reporter, child_path
from order_cancellation.jolt.trace import Trace
from order_cancellation.jolt.tree import SCALARS, copy_document
from order_cancellation.jolt.walk import NOTHING, Walk, compile_lookup, compile_reference
from order_cancellation.jolt.writing import (
    Writer,
    compile_own_key_writer,
    compile_placing_writer,
    compile_writer,
)

__all__ = ["Leaf", "Node", "compile_shift", "is_plain", "parse_shift"]

Run = Callable[[Walk, tuple[str, ...], Any], None]
Operation = Callable[[Any, PaddingBudget], Any]


@dataclass(frozen=True)
class Leaf:
    """A rule: what matches ``element`` is written to each of ``paths``.

    Args:
        rule: Where the rule stands in the specification.
        element: Its key.
        paths: Where values go; none for a value that is only to be matched.
    """

    rule: str
    element: Element
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Node:
    """A level of the specification.

    Args:
        rule: Where it stands in the specification.
        element: Its key.
        literals: Its rules for one name each.
        computed: Its rules for patterns and references, the most specific first.
        special: Its rules that take something else than the document's next level: ``@``, ``$``, ``#``.
    """

    rule: str
    element: Element
    literals: dict[str, Leaf | Node] = field(default_factory=dict)
    computed: tuple[Leaf | Node, ...] = ()
    special: tuple[Leaf | Node, ...] = ()

    def children(self) -> Iterator[Leaf | Node]:
        """Give all rules of this level."""
        yield from self.special
        yield from self.literals.values()
        yield from self.computed


def parse_shift(spec: Any, reporter: Reporter) -> Node | None:
    """Parse a ``shift`` specification, reporting whatever is wrong with it.

    Args:
        spec: The operation's ``spec``.
        reporter: Takes the problems.

    Returns:
        The specification's root, or None where there is nothing to run.
    """
    if not isinstance(spec, dict):
        reporter.error(
            "spec", "shift needs an object here: keys of the input, and the paths that their values go to."
        )
        return None
    return _parse_node("spec", Literal("root"), spec, reporter)


def _parse_node(rule: str, element: Element, spec: dict[str, Any], reporter: Reporter) -> Node | None:
    if not spec:
        reporter.error(rule, "The object is empty. Write where the value goes, or null to drop it.")
        return None
    if isinstance(element, At | Dollar | Hash):
        reporter.error(
            rule, "A key @, $ or # gives one value and can't have rules below. Write a path as its value."
        )
        return None
    children = list(_parse_children(rule, spec, reporter))
    return Node(
        rule,
        element,
        literals={child.element.key: child for child in children if isinstance(child.element, Literal)},
        computed=tuple(sorted((c for c in children if isinstance(c.element, Pattern | Amp)), key=_order)),
        special=tuple(c for c in children if isinstance(c.element, At | Dollar | Hash | Transpose)),
    )


def _order(child: Leaf | Node) -> tuple[int, int, bytes]:
    return pattern_order(child.element)


def _parse_children(rule: str, spec: dict[str, Any], reporter: Reporter) -> Iterator[Leaf | Node]:
    seen: set[str] = set()
    for written, value in spec.items():
        path = child_path(rule, written)
        for raw in split_alternatives(written):
            element = reporter.attempt(path, parse_key, raw)
            if element is None:
                continue
            name = canonical(element, raw)
            if name in seen:
                reporter.error(
                    path, f"The key '{raw}' stands at this level twice. Write its rules under one key."
                )
                continue
            seen.add(name)
            child = _parse_child(path, element, value, reporter)
            if child is not None:
                yield child


def _parse_child(rule: str, element: Element, value: Any, reporter: Reporter) -> Leaf | Node | None:
    if isinstance(element, Array):
        reporter.silent(
            rule, 'A list index is written without brackets on the left. Write "0" for the first entry.'
        )
    if isinstance(value, dict):
        return _parse_node(rule, element, value, reporter)
    texts = [] if value is None else value if isinstance(value, list) else [value]
    if any(not isinstance(text, str) for text in texts):
        reporter.error(
            rule, "Write a path, a list of paths, null, or an object with further keys as the value."
        )
        return None
    paths = [reporter.attempt(rule, _parse_target, text) for text in texts]
    return Leaf(rule, element, tuple(path for path in paths if path is not None))


def _parse_target(text: str) -> Path:
    for sign, example in (("*", "&"), ("$", "&1")):
        if sign in text and f"\\{sign}" not in text:
            raise KeySyntaxError(
                f"'{text}' has a {sign}, which only keys on the left can have. Refer to what matched with {example}."
            )
    path = parse_path(text if text.strip() else "")
    for element in path.elements:
        if isinstance(element, Hash | Dollar | Pattern):
            raise KeySyntaxError(
                f"'{text}' has a step that only keys on the left can have. Use names, &, @(…) and […]."
            )
    return path


def compile_shift(root: Node, trace: Trace | None = None, *, copying: bool = False) -> Operation:
    """Compile a parsed specification.

    Args:
        root: The specification.
        trace: Where each write is noted, for ``explain``; nothing is paid for it when absent.
        copying: Whether what is written is copied, so that the document is left alone. Only allowed where
            ``is_plain`` says so: elsewhere, results show that Java shares.

    Returns:
        A function of the document (parts of which become parts of the result) and the run's budget.
    """
    compiler = _Compiler(trace, counting=_counts(root), copying=copying)
    run = compiler.node(root, 1, ())
    levels = _depth(root) + 2

    def shift(document: Any, budget: PaddingBudget) -> Any:
        walk = Walk(document, levels, budget)
        run(walk, ("root",), document)
        if trace is not None:
            trace.root = trace.note_at(walk.output, "root")
        return walk.output.get("root")

    return shift


def is_plain(rule: Leaf | Node) -> bool:
    """Return whether no value is written twice or looked up, so that nobody can tell a copy from the original."""
    if isinstance(rule, Node):
        return not any(isinstance(c.element, At | Transpose) for c in rule.special) and all(
            map(is_plain, rule.children())
        )
    return len(rule.paths) <= 1 and "@" not in "".join(path.text for path in rule.paths)


def _depth(rule: Leaf | Node) -> int:
    return 1 + max(map(_depth, rule.children())) if isinstance(rule, Node) else 1


def _counts(rule: Leaf | Node) -> bool:
    """Return whether anything below asks how many rules have matched (``[#1]``)."""
    if isinstance(rule, Node):
        return any(map(_counts, rule.children()))
    return any("[#" in path.text for path in rule.paths)


class _Compiler:
    """Turns rules into functions of the walk, the matched key and the value.

    Args:
        trace: Where each write is noted, if anywhere.
        counting: Whether matches are counted at all.
        copying: Whether values are copied before they are written.
    """

    def __init__(self, trace: Trace | None, *, counting: bool, copying: bool) -> None:
        self.trace = trace
        self.counting = counting
        self.copying = copying

    def rule(self, rule: Leaf | Node, level: int, above: tuple[Element, ...]) -> Run:
        return self.node(rule, level, above) if isinstance(rule, Node) else self.leaf(rule, level, above)

    def counted(self, run: Run, level: int) -> Run:
        """Let a rule that matched add to its parent's count, and start its own."""
        if not self.counting:
            return run

        def counted(walk: Walk, match: tuple[str, ...], value: Any) -> None:
            walk.count[level] = [0]
            run(walk, match, value)
            walk.count[level - 1][0] += 1

        return counted

    def writers(self, leaf: Leaf, level: int, above: tuple[Element, ...]) -> tuple[Writer, ...]:
        if self.trace is None:
            return tuple(compile_writer(path, level) for path in leaf.paths)
        self.trace.expect(leaf.rule)
        way = (*above, leaf.element)
        return tuple(
            self.trace.shift_writer(leaf.rule, way, compile_placing_writer(path, level))
            for path in leaf.paths
        )

    def leaf(self, leaf: Leaf, level: int, above: tuple[Element, ...]) -> Run:
        writers = self.writers(leaf, level, above)
        if self.trace is not None and not writers:
            writers = (self.trace.matched(leaf.rule),)
        if len(writers) == 1 and self.trace is None and not self.counting:
            if _refers_to_nothing(leaf.paths[0]):
                return _write_fixed(writers[0], copying=self.copying)
            if _ends_in_own_key(leaf.paths[0]):
                return compile_own_key_writer(leaf.paths[0], copying=self.copying)
        run = _write_all(writers, level)
        return self.counted(_copied(run) if self.copying else run, level)

    def special(
        self, rule: Leaf | Node, level: int, above: tuple[Element, ...]
    ) -> Callable[[Walk, Any], None]:
        """Compile a rule that takes a value of its own; it sees the key that its parent matched."""
        take = _compile_source(rule.element, level - 1)
        if isinstance(rule, Leaf):
            run = _write_special(self.writers(rule, level, above), level)
        else:
            run = self.node(rule, level, above, shared=True)

        def special(walk: Walk, tree: Any) -> None:
            value = take(walk, tree)
            if value is NOTHING:
                return
            match = (value,) if has_own_key else walk.match[level - 1]
            walk.count[level] = [0] if has_own_key else walk.count[level - 1]
            run(walk, match, value)

        has_own_key = isinstance(rule.element, Dollar | Hash)
        return special

    def node(self, node: Node, level: int, above: tuple[Element, ...], *, shared: bool = False) -> Run:
        way = (*above, node.element) if level > 1 else ()
        special = tuple(self.special(child, level + 1, way) for child in node.special)
        walk_children = self.children(node, level + 1, way)

        def run(walk: Walk, match: tuple[str, ...], tree: Any) -> None:
            walk.match[level] = match
            walk.tree[level] = tree
            for apply in special:
                apply(walk, tree)
            walk_children(walk, tree)

        if shared and self.counting:
            return _counting_above(run, level)
        return run if shared else self.counted(run, level)

    def children(self, node: Node, level: int, way: tuple[Element, ...]) -> Callable[[Walk, Any], None]:
        literals = {key: self.rule(child, level, way) for key, child in node.literals.items()}
        computed = tuple(
            (compile_matcher(child.element, level - 1), self.rule(child, level, way))
            for child in node.computed
        )
        if not computed:
            return _each_literal(literals)
        if not literals:
            return _each_entry(computed)
        if _conflict(node):
            return _each_entry_mixed(literals, computed)
        return _literals_then_entries(literals, computed)


def _counting_above(run: Run, level: int) -> Run:
    def counted(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        run(walk, match, value)
        walk.count[level - 1][0] += 1

    return counted


def _refers_to_nothing(path: Path) -> bool:
    return all(isinstance(element, Literal) for element in path.elements)


def _ends_in_own_key(path: Path) -> bool:
    *head, last = path.elements
    return last == Amp((Reference(),)) and all(isinstance(element, Literal) for element in head)


def _write_fixed(write: Writer, *, copying: bool) -> Run:
    """Write at a path of fixed names, which needs to know nothing of the walk."""
    if not copying:
        return lambda walk, _match, value: write(walk, value)

    def write_copy(walk: Walk, _match: tuple[str, ...], value: Any) -> None:
        write(walk, value if type(value) in SCALARS else copy_document(value))

    return write_copy


def _copied(run: Run) -> Run:
    def copied(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        run(walk, match, value if type(value) in SCALARS else copy_document(value))

    return copied


def _write_all(writers: tuple[Writer, ...], level: int) -> Run:
    if len(writers) == 1:
        only = writers[0]

        def write_one(walk: Walk, match: tuple[str, ...], value: Any) -> None:
            walk.match[level] = match
            walk.tree[level] = value
            only(walk, value)

        return write_one

    def write_all(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        walk.match[level] = match
        walk.tree[level] = value
        for write in writers:
            write(walk, value)

    return write_all


def _write_special(writers: tuple[Writer, ...], level: int) -> Run:
    """Write a value that is not the one of its level: look-ups with 0 levels still start at the level's own."""

    def write_special(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        walk.match[level] = match
        walk.tree[level] = walk.tree[level - 1]
        for write in writers:
            write(walk, value)

    return write_special


def _compile_source(element: Element, last: int) -> Callable[[Walk, Any], Any]:
    """Compile what a special key takes instead of the document's next level."""
    match element:
        case Dollar(reference):
            refer = compile_reference(reference, last)
            return lambda walk, _tree: refer(walk)
        case Hash(text):
            return lambda _walk, _tree: text
        case Transpose():
            find = compile_lookup(element, last)
            return lambda walk, _tree: find(walk)
        case _:
            return lambda _walk, tree: tree


def _conflict(node: Node) -> bool:
    """Return whether a pattern of this level would match one of its literal keys too."""
    return any(
        not isinstance(child.element, Pattern)
        or any(match_pattern(child.element, key) is not None for key in node.literals)
        for child in node.computed
    )


Computed = tuple[tuple[Matcher, Run], ...]


def _each_literal(literals: dict[str, Run]) -> Callable[[Walk, Any], None]:
    """Walk a level of names in the specification's order."""
    rules = tuple((key, _list_index(key), (key,), run) for key, run in literals.items())

    def walk_literals(walk: Walk, tree: Any) -> None:
        if type(tree) is dict:
            for key, _, match, run in rules:
                if key in tree:
                    run(walk, match, tree[key])
        elif type(tree) is list:
            for _, index, match, run in rules:
                if index < len(tree):
                    run(walk, match, tree[index])
        elif isinstance(tree, dict | list | tuple):
            walk_literals(walk, copy_document(tree))
        elif tree is not None:
            text = to_string(tree)
            if text in literals:
                literals[text](walk, (text,), None)

    return walk_literals


def _list_index(key: str) -> int:
    """Return a name as a list index, or one that no list reaches."""
    number = parse_integer(key)
    return 2**31 if number is None or number < 0 else number


def _entries(tree: Any) -> list[tuple[str, Any]]:
    """Return what a level of the document holds; a scalar is like an object whose one key is its text."""
    if type(tree) is dict:
        return list(tree.items())
    if type(tree) is list:
        return [(str(index), value) for index, value in enumerate(tree)]
    if isinstance(tree, dict | list | tuple):
        return _entries(copy_document(tree))
    return [] if tree is None else [(to_string(tree), None)]


def _unchanged(tree: Any, size: int) -> None:
    if type(tree) in (dict, list) and len(tree) != size:
        raise JoltTransformError(
            "A rule wrote into the very list or object that it was walking, which would never end. "
            "Write the list itself and its entries to different paths."
        )


def _each_entry(computed: Computed) -> Callable[[Walk, Any], None]:
    """Walk a level of patterns in the document's order; the first that matches takes the entry."""
    return _each_entry_mixed({}, computed)


def _each_entry_mixed(
    literals: dict[str, Run], computed: Computed, skipped: frozenset[str] = frozenset()
) -> Callable[[Walk, Any], None]:
    """Walk a level in the document's order; names go before the patterns that match them too.

    Args:
        literals: The rules for names.
        computed: The rules for patterns.
        skipped: Names that have had their turn.
    """
    find = literals.get
    if len(computed) == 1 and computed[0][0] is match_anything:
        return _each_entry_or_star(literals, computed[0][1], skipped)

    def walk_entries(walk: Walk, tree: Any) -> None:
        entries = _entries(tree)
        for key, value in entries:
            literal = find(key)
            if literal is not None:
                literal(walk, (key,), value)
                continue
            if key in skipped:
                continue
            for matches, run in computed:
                match = matches(walk, key)
                if match is not None:
                    run(walk, match, value)
                    break
        _unchanged(tree, len(entries))

    return walk_entries


def _each_entry_or_star(
    literals: dict[str, Run], star: Run, skipped: frozenset[str]
) -> Callable[[Walk, Any], None]:
    """Walk a level whose only pattern is a lone ``*``."""
    find = literals.get

    def walk_entries(walk: Walk, tree: Any) -> None:
        entries = _entries(tree)
        for key, value in entries:
            if key not in skipped:
                (find(key) or star)(walk, (key,), value)
        _unchanged(tree, len(entries))

    return walk_entries


def _literals_then_entries(literals: dict[str, Run], computed: Computed) -> Callable[[Walk, Any], None]:
    """Walk a level whose patterns and names do not meet: names in the specification's order, then the rest."""
    walk_literals = _each_literal(literals)
    walk_others = _each_entry_mixed({}, computed, frozenset(literals))

    def walk_both(walk: Walk, tree: Any) -> None:
        walk_literals(walk, tree)
        walk_others(walk, tree)

    return walk_both
