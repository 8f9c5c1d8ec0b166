"""The units of one catalogue: each template compiled for each way in which it is taken in, once."""

import ast
import linecache
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import CodeType, FunctionType

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression, StringLiteral
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.exceptions import TemplateNotFoundError
from liquid.undefined import Undefined

from tessera.renderer.engines.escaping import escape_text
from tessera.renderer.engines.liquid.compiler.loops import LOOPS
from tessera.renderer.engines.liquid.compiler.operators import member_of
from tessera.renderer.engines.liquid.compiler.partials import PARTIALS
from tessera.renderer.engines.liquid.compiler.shapes import NeedsContext, Uncompiled, Unit, UnitKey
from tessera.renderer.engines.liquid.compiler.tags import TAGS, Tag, leave
from tessera.renderer.engines.liquid.compiler.writer import Writer
from tessera.renderer.engines.liquid.environment import LiquidEnvironment
from tessera.renderer.engines.liquid.tree import all_nodes, expressions_of

ALL_TAGS: Mapping[type[Node], Tag] = {**TAGS, **LOOPS, **PARTIALS}
MAX_FORMS = 16
"""Units of one template. Nobody writes so many; past them, python-liquid renders it where it is taken in."""


class Units:
    """What of a catalogue was compiled so far. Templates must all be there, and without fault, before the first."""

    def __init__(self, environment: LiquidEnvironment) -> None:
        self.environment = environment
        self.codes: dict[CodeType, Unit] = {}
        self._units: dict[UnitKey, Unit | None] = {}
        self._forms: Counter[str] = Counter()
        self._assigned: dict[str, frozenset[str]] = {}
        self._missing: dict[str, Undefined] = {}
        self._names = {id(tree): name for name, tree in environment.trees.items()}
        nodes = [node for tree in environment.trees.values() for node in all_nodes(tree.nodes)]
        self.counted = frozenset(str(node.name) for node in nodes if isinstance(node, IncrementNode | DecrementNode))
        self.continues = any(map(_continues, environment.trees.values()))
        """Whether any loop asks where the one before it stopped."""
        self._plain = {
            "Undefined": environment.undefined,
            "escape_text": escape_text,
            "member": member_of(environment.template_class.context_class(_nothing(environment))),
        }

    def tag(self, kind: type[Node]) -> Tag:
        """Return what writes the nodes of one kind; a kind that others added, or changed, is python-liquid's."""
        return ALL_TAGS.get(kind, leave)

    def name_of(self, tree: BoundTemplate) -> str:
        """Return the full name of a template."""
        return self._names[id(tree)]

    def undefined(self, name: str) -> Undefined:
        """Return what stands for a name that is missing."""
        if name not in self._missing:
            self._missing[name] = self.environment.undefined(name)
        return self._missing[name]

    def assigned(self, tree: BoundTemplate) -> frozenset[str]:
        """Return the names that a template sets for what follows it, by way of `include` too."""
        name = self.name_of(tree)
        if name not in self._assigned:
            self._assigned[name] = frozenset()  # For one that takes itself in.
            self._assigned[name] = frozenset(self._sets(tree))
        return self._assigned[name]

    def _sets(self, tree: BoundTemplate) -> Iterable[str]:
        for node in all_nodes(tree.nodes):
            if isinstance(node, AssignNode | CaptureNode):
                yield str(node.name)
            elif isinstance(node, IncludeNode) and isinstance(node.name, StringLiteral):
                try:
                    yield from self.assigned(self.environment.find(node.name.value))
                except TemplateNotFoundError:
                    continue

    def unit(self, key: UnitKey) -> Unit | None:
        """Return a compiled unit; None where it must be left to python-liquid."""
        if key not in self._units:
            self._units[key] = None  # For one that takes itself in.
            self._forms[key.template] += 1
            if self._forms[key.template] <= MAX_FORMS:
                # None for absurdly nested ones, and for includes with parts that only python-liquid renders.
                with suppress(NeedsContext, RecursionError, SyntaxError, Uncompiled):
                    self._units[key] = self._compiled(key)
        return self._units[key]

    def _compiled(self, key: UnitKey) -> Unit:
        tree = self.environment.trees[key.template]
        writer = Writer(self, key, tree, shares=False)
        try:
            function = writer.function()
        except NeedsContext:
            if key.role == "include":
                raise
            writer = Writer(self, key, tree, shares=True)
            function = writer.function()
        module = ast.Module([function], [])
        linecache.cache.pop(key.template, None)
        text = tree.nodes[0].token.source if tree.nodes else ""
        scope: dict[str, object] = {
            **self._plain,
            **writer.constants,
            "__name__": key.template,
            "__loader__": _Source(text),
        }
        exec(compile(module, key.template, "exec"), scope)
        made = scope["render"]
        assert isinstance(made, FunctionType)
        parameters, assigned = tuple(writer.parameters), tuple(sorted(writer.assigned))
        unit = Unit(key, tree, made, parameters, assigned, writer.stateful, writer.interrupts)
        self.codes[made.__code__] = unit
        return unit


class _Source:
    """Shows the lines of a template where a traceback goes through it (PEP 302's `get_source`)."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, name: str) -> str:
        return self._text


def _nothing(environment: LiquidEnvironment) -> BoundTemplate:
    return environment.template_class(env=environment, nodes=[])


def _continues(tree: BoundTemplate) -> bool:
    return any(
        isinstance(expression, LoopExpression)
        and isinstance(expression.offset, StringLiteral)
        and expression.offset.value == "continue"
        for expression in expressions_of(tree.nodes)
    )
