"""``shift``: the specification is walked along with the document, and its leaves say where values go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from order_cancellation.jolt.keys import (
    Amp,
    Dollar,
    Element,
    Hash,
    Literal,
    Pattern,
    PatternKind,
    Reference,
    Transpose,
    match_pattern,
)
from order_cancellation.jolt.levels import Run, each_entry, each_literal, each_moved, literals_then_entries
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.paths import Path
from order_cancellation.jolt.patterns import compile_matcher
from order_cancellation.jolt.shift_spec import Leaf, Node
from order_cancellation.jolt.trace import Trace
from order_cancellation.jolt.tree import SCALARS, copy_document
from order_cancellation.jolt.walk import NOTHING, Walk, compile_lookup, compile_reference
from order_cancellation.jolt.writing import (
    Writer,
    compile_mover,
    compile_own_key_writer,
    compile_placing_writer,
    compile_writer,
)

__all__ = ["compile_shift"]

Operation = Callable[[Any, PaddingBudget], Any]


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


def _depth(rule: Leaf | Node) -> int:
    return 1 + max(map(_depth, rule.children()), default=0) if isinstance(rule, Node) else 1


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

    def moves_all(self, rule: Leaf | Node) -> TypeGuard[Leaf]:
        """Return whether a rule puts every entry of its level under its own key, with nobody watching."""
        return (
            isinstance(rule, Leaf)
            and rule.element == Pattern(PatternKind.ALL)
            and len(rule.paths) == 1
            and _ends_in_own_key(rule.paths[0])
            and self.trace is None
            and not self.counting
        )

    def children(self, node: Node, level: int, way: tuple[Element, ...]) -> Callable[[Walk, Any], None]:
        if not node.literals and len(node.computed) == 1 and self.moves_all(node.computed[0]):
            return each_moved(compile_mover(node.computed[0].paths[0], copying=self.copying))
        literals = {key: self.rule(child, level, way) for key, child in node.literals.items()}
        computed = tuple(
            (compile_matcher(child.element, level - 1), self.rule(child, level, way))
            for child in node.computed
        )
        if not computed:
            return each_literal(literals)
        if not literals:
            return each_entry({}, computed)
        if _conflict(node):
            return each_entry(literals, computed)
        return literals_then_entries(literals, computed)


def _counting_above(run: Run, level: int) -> Run:
    def counted(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        run(walk, match, value)
        walk.count[level - 1][0] += 1

    return counted


def _refers_to_nothing(path: Path) -> bool:
    return all(isinstance(element, Literal) for element in path.elements)


def _ends_in_own_key(path: Path) -> bool:
    last = path.elements[-1:]
    return last == (Amp((Reference(),)),) and all(isinstance(e, Literal) for e in path.elements[:-1])


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
    """Write a value that is not its level's own, from which look-ups with 0 levels still start."""

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
