"""What a Jinja template can read: an abstract interpreter over Jinja's own tree.

It follows Jinja's scopes: `if` shares the scope around it, every other body has its own; macros see the scope that
they were defined in, as it is when they are called; blocks see only what their template set at its top. A name that is
set on one way to a place and not on another stands for both what was set and the input of that name. Nodes that it does
not know count as reading everything.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from jinja2 import nodes

from tessera.renderer.engines.demands import NOTHING, Demands, TooComplexError, Value, either
from tessera.renderer.engines.jinja.expressions import Expressions, sites
from tessera.renderer.engines.jinja.places import node_span
from tessera.renderer.engines.jinja.scope import BARE, GLOBALS, Body, Names, PlacedBlock, Scope, Site, Super
from tessera.renderer.engines.jinja.tree import named_templates
from tessera.rules.source import Span

MAX_ROUNDS = 10

Find = Callable[[str], tuple[str, nodes.Template] | None]


def jinja_demands(name: str, find: Find, root: str) -> Demands:
    """Return what a parsed template can read.

    `find` gives the full name and the tree of a template by the name that a tag has for it; `root` is what stands
    before a full name in spans.
    """
    walker = _Walker(find, root)
    try:
        walker.until_settled(name)
    except (TooComplexError, RecursionError):
        return Demands.everything(Span(root + name, 1, 1, 1))
    return walker.ledger.demands()


class _Walker(Expressions):
    """Visits every statement in the order of a render, both ways of each branch."""

    def __init__(self, find: Find, root: str) -> None:
        super().__init__()
        self._find = find
        self._root = root
        self._extended: list[str] = []

    def until_settled(self, name: str) -> None:
        """Walk a template until nothing is noted any more that earlier places did not see."""
        for number in range(2 * MAX_ROUNDS):
            self.grown = False
            self._enter(name, Scope("", (dict(GLOBALS),)))
            if not self.grown:
                return
            if number == MAX_ROUNDS:
                start = Span(self._root + name, 1, 1, 1)
                self.noted = {key: self.ledger.settle(value, start) for key, value in self.noted.items()}
        raise TooComplexError

    # Templates

    def _enter(self, name: str, scope: Scope) -> Names:
        """Walk a template within a scope, and those that it extends; return the names that it sets at its top."""
        found = self._find(name)
        if found is None:
            return {}
        full, tree = found
        # It gets the names as they are now; what is set later does not reach what it defines.
        handed = {name: value for frame in scope.frames for name, value in frame.items()}
        top: Names = {}
        inner = Scope(self._root + full, (handed, top), scope.inputs, top=2)
        self._template(tree, inner)
        return top

    def _template(self, tree: nodes.Template, scope: Scope) -> None:
        blocks = dict(scope.blocks)
        for block in tree.find_all(nodes.Block):
            blocks[block.name] = (*blocks.get(block.name, ()), PlacedBlock(scope.file, block))
        inner = replace(scope, blocks=blocks)
        outer, self._extended = self._extended, []
        extends = False
        for node in tree.body:
            # Beneath a known `extends` nothing is written but what the parent asks for.
            if not (extends and isinstance(node, nodes.Output | nodes.Block)):
                self.walk([node], inner)
            extends = extends or isinstance(node, nodes.Extends)
        parents, self._extended = self._extended, outer
        for name in parents:
            found = self._find(name)
            if found is not None:
                self._template(found[1], replace(inner, file=self._root + found[0]))

    def _taken_in(self, expression: nodes.Expr, scope: Scope) -> list[str]:
        self.whole(expression, scope)
        names = named_templates(expression)
        if names is None:
            self.ledger.everything(node_span(scope.file, expression))
        return names or []

    def _extends(self, node: nodes.Extends, scope: Scope) -> None:
        self._extended += self._taken_in(node.template, scope)

    def _include(self, node: nodes.Include, scope: Scope) -> None:
        for name in self._taken_in(node.template, scope):
            self._enter(name, scope if node.with_context else BARE)

    def _module(self, node: nodes.Import | nodes.FromImport, scope: Scope) -> Value:
        module = NOTHING
        for name in self._taken_in(node.template, scope):
            module |= Value(members=dict(self._enter(name, scope if node.with_context else BARE)))
        return module

    def _import(self, node: nodes.Import, scope: Scope) -> None:
        scope.frames[-1][node.target] = self._module(node, scope)

    def _from_import(self, node: nodes.FromImport, scope: Scope) -> None:
        members = self._module(node, scope).members
        for each in node.names:
            name, alias = (each, each) if isinstance(each, str) else each
            scope.frames[-1][alias] = members.get(name, NOTHING)

    def _block(self, node: nodes.Block, scope: Scope) -> None:
        self.level(Super(node.name, 0), scope if node.scoped else replace(scope, frames=scope.frames[: scope.top]))

    def level(self, block: Super, scope: Scope) -> None:
        stack = scope.blocks.get(block.name, ())
        if block.level < len(stack):
            placed = stack[block.level]
            following = Value(callables=frozenset({Super(block.name, block.level + 1)}))
            inner = replace(scope.within({"super": following}), file=placed.file)
            self.once(placed.node, lambda: self.walk(placed.node.body, inner))

    # Statements

    def walk(self, body: Iterable[nodes.Node], scope: Scope) -> None:
        """Visit statements in order."""
        for node in body:
            self.ledger.visit()
            _STATEMENTS.get(type(node), _Walker._unknown)(self, node, scope)

    def _unknown(self, node: nodes.Node, scope: Scope) -> None:
        self.ledger.everything(node_span(scope.file, node))

    def _output(self, node: nodes.Output, scope: Scope) -> None:
        for expression in node.nodes:
            self.whole(expression, scope)

    def _statement(self, node: nodes.ExprStmt, scope: Scope) -> None:
        self.value(node.node, scope)

    def _if(self, node: nodes.If, scope: Scope) -> None:
        for test in (node.test, *(each.test for each in node.elif_)):
            self.test(test, scope)
        before, ways = dict(scope.frames[-1]), list[Names]()
        for body in (node.body, *(each.body for each in node.elif_), node.else_):
            scope.become(before)
            self.walk(body, scope)
            ways.append(dict(scope.frames[-1]))
        names = {name for way in ways for name in way}
        scope.become({name: either(way.get(name, scope.beyond(name)) for way in ways) for name in names})

    def _for(self, node: nodes.For, scope: Scope) -> None:
        span = node_span(scope.file, node.iter)
        iterable = self.value(node.iter, scope)
        self.ledger.length(iterable, span)
        element = self.ledger.elements(iterable, span) | self.noted.get((node, ""), NOTHING)
        inner = scope.within()
        self._assign_to(node.target, element, inner)
        if node.test is not None:
            self.test(node.test, inner)
        neighbours = {"previtem": element, "nextitem": element}
        inner.frames[-1]["loop"] = Value(members=neighbours, callables=frozenset({Site(node)}))
        self.walk(node.body, inner)
        self.walk(node.else_, scope.within())

    def _macro(self, node: nodes.Macro, scope: Scope) -> None:
        scope.frames[-1][node.name] = Value(callables=frozenset({Body(node, scope)}))

    def _call_block(self, node: nodes.CallBlock, scope: Scope) -> None:
        self._call(node.call, scope, Value(callables=frozenset({Body(node, scope)})))

    def _filter_block(self, node: nodes.FilterBlock, scope: Scope) -> None:
        self.walk(node.body, scope.within())
        self.whole(node.filter, scope)

    def _assign(self, node: nodes.Assign, scope: Scope) -> None:
        self._assign_to(node.target, self.value(node.node, scope), scope)

    def _assign_block(self, node: nodes.AssignBlock, scope: Scope) -> None:
        self.walk(node.body, scope.within())
        self._assign_to(node.target, NOTHING, scope)

    def _with(self, node: nodes.With, scope: Scope) -> None:
        inner = scope.within()
        for target, value in zip(node.targets, node.values, strict=True):
            self._assign_to(target, self.value(value, scope), inner)
        self.walk(node.body, inner)

    def _assign_to(self, target: nodes.Node, value: Value, scope: Scope) -> None:
        if isinstance(target, nodes.Name):
            scope.frames[-1][target.name] = value
        elif isinstance(target, nodes.NSRef):
            for site in sites(scope.look_up(target.name)):
                self.note(site.node, target.attr, value)
        elif isinstance(target, nodes.Tuple):
            span = node_span(scope.file, target)
            self.ledger.length(value, span)
            elements = self.ledger.elements(value, span)
            for number, item in enumerate(target.items):
                self._assign_to(item, elements | value.members.get(str(number), NOTHING), scope)
        else:
            self._unknown(target, scope)


_STATEMENTS: Mapping[type[nodes.Node], Callable[..., None]] = {
    nodes.Assign: _Walker._assign,
    nodes.AssignBlock: _Walker._assign_block,
    nodes.Block: _Walker._block,
    nodes.CallBlock: _Walker._call_block,
    nodes.ExprStmt: _Walker._statement,
    nodes.Extends: _Walker._extends,
    nodes.FilterBlock: _Walker._filter_block,
    nodes.For: _Walker._for,
    nodes.FromImport: _Walker._from_import,
    nodes.If: _Walker._if,
    nodes.Import: _Walker._import,
    nodes.Include: _Walker._include,
    nodes.Macro: _Walker._macro,
    nodes.Output: _Walker._output,
    nodes.With: _Walker._with,
}
