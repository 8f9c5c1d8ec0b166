"""Facts, and what is defined by expressions over them: computed facts, segments, reusable conditions.

Definitions may refer to each other in any order, across files. They are read first, and then checked so that each
comes after those it refers to.
"""

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from tessera.rules.check import Checker
from tessera.rules.conditions import Expr, Test, parts_of
from tessera.rules.declare import CONDITION_PARAM, FACT, read_declaration, read_declarations
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.facts import BUILT_IN, SEGMENT, Fact, built_in
from tessera.rules.names import Broken, Macro, Noun, Scope
from tessera.rules.ruleset import Segment
from tessera.rules.shape import DOTTED_NAME, Reader, sound
from tessera.rules.skeleton import MappingNode, Node
from tessera.rules.source import Span
from tessera.rules.syntax import Tree, names_in

SEGMENT_KEYS = ("when", "source", "about")
CONDITION_KEYS = ("params", "when", "about")

MAX_TESTS = 500
"""How many tests one condition may come to, with everything that it refers to written out."""

MAX_LEVELS = 60
"""How deep a condition may nest, with everything that it refers to written out."""


class _Size(NamedTuple):
    tests: int
    levels: int


class Definitions(Scope):
    """Everything that an expression can name, apart from parameters of pages.

    `computed` holds the checked conditions behind computed facts and segments, by full name. `unread` names the files
    that cannot be read: whatever could stand in them is not complained of as unknown.
    """

    def __init__(self, complaints: list[Diagnostic], unread: Collection[str] = ()) -> None:
        self.computed: dict[str, Expr] = {}
        self.complaints = complaints
        self._facts: dict[str, Fact | None] = {}
        self._trees: dict[str, Tree | None] = {}
        self._macros: dict[str, Macro | None] = {}
        self._abouts: dict[str, str] = {}
        self._sizes: dict[str, _Size] = {}
        self._unread = unread
        self._files: dict[Noun, str] = {
            "fact": "facts.yaml",
            "segment": "segments.yaml",
            "condition": "conditions.yaml",
        }

    def read_facts(self, reader: Reader, node: Node) -> None:
        self._files["fact"] = reader.source.file
        for key, value in reader.new_entries(node, "fact", self._facts, DOTTED_NAME):
            fact = self._facts[key.value] = read_declaration(reader, key, value, FACT)
            if fact is not None and fact.source == "computed":
                self._trees[fact.name] = reader.expression(_under(value, "is"), "`is`")

    def read_segments(self, reader: Reader, node: Node) -> None:
        self._files["segment"] = reader.source.file
        for key, value in reader.new_entries(node, "segment", self._facts, prefix=SEGMENT):
            name = SEGMENT + key.value
            self._facts[name] = None
            fields = reader.fields(value, "a segment", SEGMENT_KEYS, key.span)
            if fields is None:
                continue
            if ("when" in fields) == ("source" in fields):
                message = "a segment has either `when` or `source: profile`"
                reader.complain("R015", message, key.span)
                continue
            self._abouts[name] = fields.text("about") or ""
            if "when" in fields:
                self._facts[name] = Fact(name, "boolean", "computed", "public", key.span)
                self._trees[name] = fields.expression("when")
            elif fields.choice("source", ("profile",)):
                self._facts[name] = Fact(name, "boolean", "profile", "context", key.span, trait=key.value)

    def read_conditions(self, reader: Reader, node: Node) -> None:
        self._files["condition"] = reader.source.file
        for key, value in reader.new_entries(node, "condition", self._macros):
            self._macros[key.value] = None
            fields = reader.fields(value, "a condition", CONDITION_KEYS, key.span)
            if fields is None or not fields.require("when"):
                continue
            nodes = fields.nodes.get("params")
            params = read_declarations(reader, nodes, "`params`", CONDITION_PARAM) if nodes else {}
            tree = fields.expression("when")
            if tree is not None and None not in params.values():
                self._macros[key.value] = Macro(key.value, sound(params), tree, key.span)

    def resolve(self) -> None:
        """Check every definition; to be called once, when all files are read."""
        for name in BUILT_IN:
            self._facts.setdefault(name, built_in(name))
        trees = {name: tree for name, tree in self._trees.items() if tree is not None}
        trees |= {f"{name}()": macro.tree for name, macro in self._macros.items() if macro is not None}
        for name in self._in_order(trees):
            macro = self._macros.get(name.removesuffix("()")) if name.endswith("()") else None
            checker = Checker(self, self.complaints)
            expr = checker.condition(trees[name]) if macro is None else checker.body(macro)
            if expr is None or not self._bounded(name, expr, trees[name].span):
                self._break(name)
            elif macro is None:
                self.computed[name] = expr

    def condition(self, tree: Tree, params: Mapping[str, Fact]) -> Expr | None:
        """A condition of a page with these parameters; None when it is wrong."""
        expr = Checker(self, self.complaints, params).condition(tree)
        return expr if expr is not None and self._bounded("", expr, tree.span) else None

    @property
    def facts(self) -> dict[str, Fact]:
        """The facts that are declared rightly, segments left out."""
        return {name: fact for name, fact in sound(self._facts).items() if not name.startswith(SEGMENT)}

    @property
    def segments(self) -> dict[str, Segment]:
        """The segments that are declared rightly, by short name."""
        return {
            name.removeprefix(SEGMENT): Segment(fact, self.computed.get(name), self._abouts[name])
            for name, fact in sound(self._facts).items()
            if name.startswith(SEGMENT)
        }

    @property
    def macros(self) -> dict[str, Macro]:
        """The reusable conditions that are declared rightly."""
        return sound(self._macros)

    def fact(self, name: str) -> Fact | None:
        if name not in self._facts:
            self._excuse("segment" if name.startswith(SEGMENT) else "fact")
            return None
        fact = self._facts[name]
        if fact is None or (fact.source == "computed" and name not in self.computed):
            raise Broken
        return fact

    def macro(self, name: str) -> Macro | None:
        if name not in self._macros:
            self._excuse("condition")
            return None
        macro = self._macros[name]
        if macro is None:
            raise Broken
        return macro

    def known(self, noun: Noun) -> Iterable[str]:
        if noun == "condition":
            return self._macros
        return [name for name in self._facts if name.startswith(SEGMENT) == (noun == "segment")]

    def declared_in(self, noun: Noun) -> str:
        return self._files[noun]

    def _excuse(self, noun: Noun) -> None:
        """Raise Broken for a name that may be declared where nobody can read it."""
        if f"{noun}s.yaml" in self._unread:
            raise Broken

    def _in_order(self, trees: Mapping[str, Tree]) -> list[str]:
        """The definitions, each after those that it refers to, without those that refer to themselves."""
        graph = {name: [each for each in names_in(tree) if each in trees] for name, tree in trees.items()}
        while True:
            try:
                return list(TopologicalSorter(graph).static_order())
            except CycleError as error:
                cycle = error.args[1]
                path = " → ".join(f"`{name}`" for name in reversed(cycle))
                span = trees[cycle[-1]].span
                self.complaints.append(Diagnostic("R110", "error", f"a definition goes in circles: {path}", span))
                for name in cycle:
                    self._break(name)
                    graph.pop(name, None)
                graph = {name: [each for each in needed if each in graph] for name, needed in graph.items()}

    def _bounded(self, name: str, expr: Expr, span: Span) -> bool:
        """Whether a condition is of a sensible size; complains when it is not, else notes the size under `name`."""
        size = self._sizes[name] = self._measured(expr)
        if size.tests > MAX_TESTS:
            message = f"the condition comes to {size.tests} tests, more than {MAX_TESTS}"
        elif size.levels > MAX_LEVELS:
            message = f"the condition comes to {size.levels} levels, more than {MAX_LEVELS}"
        else:
            return True
        self.complaints.append(Diagnostic("R111", "error", message, span))
        return False

    def _measured(self, expr: Expr) -> _Size:
        if isinstance(expr, Test):
            inner = [self._sizes[fact.name] for fact in expr.facts() if fact.source == "computed"]
        else:
            inner = [self._measured(part) for part in parts_of(expr)]
        tests, levels = int(isinstance(expr, Test)), 0
        for size in inner:
            tests += size.tests
            levels = max(levels, size.levels)
        return _Size(tests, levels + 1)

    def _break(self, name: str) -> None:
        if name.endswith("()"):
            self._macros[name.removesuffix("()")] = None


def _under(node: Node, key: str) -> Node:
    """The value of a key that a mapping is known to have."""
    assert isinstance(node, MappingNode)
    return next(value for each, value in node.entries if each.value == key)
