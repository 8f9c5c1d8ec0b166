"""What the expressions of a Jinja template look at, and what they stand for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from jinja2 import nodes

from tessera.renderer.engines.demands import LISTS, NOTHING, Ledger, Value, either
from tessera.renderer.engines.filter_reads import Argument, FilterUse
from tessera.renderer.engines.jinja.filter_reads import JINJA_READS, jinja_paths
from tessera.renderer.engines.jinja.places import node_span
from tessera.renderer.engines.jinja.scope import Body, Names, Scope, Site, Super
from tessera.renderer.engines.jinja.tests import comparison_test
from tessera.rules.source import Span

MAX_VISITS = 20_000


class Expressions(ABC):
    """Evaluates expressions abstractly, on behalf of what walks the statements.

    What may change at one place and be read at any other (members of namespaces, arguments of macros and loops that
    call themselves) is noted for all places; `grown` says that something was noted which earlier places did not see.
    """

    def __init__(self) -> None:
        self.ledger = Ledger(MAX_VISITS)
        self.noted: dict[tuple[nodes.Node, str], Value] = {}
        self.grown = False
        self._running: list[nodes.Node] = []

    @abstractmethod
    def walk(self, body: Iterable[nodes.Node], scope: Scope) -> None:
        """Walk statements in order."""

    @abstractmethod
    def level(self, block: Super, scope: Scope) -> None:
        """Walk one of the blocks that override each other."""

    def once(self, node: nodes.Node, work: Callable[[], None]) -> None:
        """Do something unless it is being done already: a body that leads back to itself adds nothing new."""
        if not self._is_running(node):
            self._running.append(node)
            work()
            self._running.pop()

    def _is_running(self, node: nodes.Node) -> bool:
        return any(running is node for running in self._running)

    def note(self, node: nodes.Node, name: str, value: Value) -> None:
        """Note for all places what a member, an argument or, with no name, the elements of a loop may be."""
        known = self.noted.get((node, name), NOTHING)
        joined = known | value
        if joined != known:
            self.noted[node, name] = joined
            self.grown = True

    def value(self, node: nodes.Node, scope: Scope) -> Value:
        """Return what an expression stands for, demanding only what computing that needs."""
        self.ledger.visit()
        return _EXPRESSIONS.get(type(node), Expressions._computed)(self, node, scope)

    def whole(self, node: nodes.Node, scope: Scope) -> None:
        """All of an expression's value is read."""
        self.ledger.whole(self.value(node, scope), node_span(scope.file, node))

    def test(self, node: nodes.Node, scope: Scope) -> None:
        """Whether an expression holds is read."""
        if isinstance(node, nodes.And | nodes.Or):
            self.test(node.left, scope)
            self.test(node.right, scope)
        elif isinstance(node, nodes.Not):
            self.test(node.node, scope)
        else:
            self.ledger.presence(self.value(node, scope), node_span(scope.file, node))

    def _computed(self, node: nodes.Node, scope: Scope) -> Value:
        """Anything that makes a new value out of all that it holds: comparisons, arithmetic, constants, slices."""
        for child in node.iter_child_nodes():
            self.whole(child, scope)
        return NOTHING

    def _compare(self, node: nodes.Compare, scope: Scope) -> Value:
        """A chain of comparisons, each of neighbours."""
        left = node.expr
        for operand in node.ops:
            self._compare_two(left, operand, scope)
            left = operand.expr
        return NOTHING

    def _compare_two(self, left: nodes.Expr, operand: nodes.Operand, scope: Scope) -> None:
        test = comparison_test(left, operand.op, operand.expr)
        if test is None:
            self.whole(left, scope)
            self.whole(operand.expr, scope)
        else:
            tested, asked = test
            self.ledger.asked(self.value(tested, scope), asked, node_span(scope.file, tested))

    def _not(self, node: nodes.Not, scope: Scope) -> Value:
        self.test(node.node, scope)
        return NOTHING

    def _name(self, node: nodes.Name, scope: Scope) -> Value:
        value = scope.look_up(node.name)
        for site in sites(value):
            members = {name: noted for (at, name), noted in self.noted.items() if at is site.node and name}
            value |= self.ledger.made(Value(members=members), node_span(scope.file, node))
        return self.ledger.take(value, node_span(scope.file, node))

    def _sequence(self, node: nodes.List | nodes.Tuple, scope: Scope) -> Value:
        items = either(self.value(item, scope) for item in node.items)
        return self.ledger.made(Value(element=items), node_span(scope.file, node))

    def _dict(self, node: nodes.Dict, scope: Scope) -> Value:
        members: Names = {}
        for pair in node.items:
            if isinstance(pair.key, nodes.Const):
                members[str(pair.key.value)] = self.value(pair.value, scope)
            else:
                self.whole(pair.key, scope)
                self.whole(pair.value, scope)
        return self.ledger.made(Value(members=members), node_span(scope.file, node))

    def _condition(self, node: nodes.CondExpr, scope: Scope) -> Value:
        self.test(node.test, scope)
        other = self.value(node.expr2, scope) if node.expr2 is not None else NOTHING
        return self.value(node.expr1, scope) | other

    def _either(self, node: nodes.And | nodes.Or, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        self.ledger.presence(left, node_span(scope.file, node.left))
        return left | self.value(node.right, scope)

    def _add(self, node: nodes.Add, scope: Scope) -> Value:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        for value, side in ((left, node.left), (right, node.right)):
            if _is_list(left) or _is_list(right):
                self.ledger.length(value, node_span(scope.file, side))
            else:
                self.ledger.whole(value, node_span(scope.file, side))
        return left | right if _is_list(left) or _is_list(right) else NOTHING

    def _getattr(self, node: nodes.Getattr, scope: Scope) -> Value:
        span = node_span(scope.file, node)
        return self.ledger.take(self.ledger.member(self.value(node.node, scope), node.attr, span), span)

    def _getitem(self, node: nodes.Getitem, scope: Scope) -> Value:
        span = node_span(scope.file, node)
        value, key = self.value(node.node, scope), node.arg
        if isinstance(key, nodes.Const) and isinstance(key.value, str):
            return self.ledger.take(self.ledger.member(value, key.value, span), span)
        self.ledger.length(value, span)
        if isinstance(key, nodes.Slice):
            self._computed(key, scope)
            return value
        if _is_index(key):
            self._computed(key, scope)
            number = value.members.get(str(key.value), NOTHING) if isinstance(key, nodes.Const) else NOTHING
            return self.ledger.take(self.ledger.elements(value, span), span) | number
        self.whole(key, scope)
        self.ledger.widen(value, span)
        return either(value.parts())

    def _filter(self, node: nodes.Filter, scope: Scope) -> Value:
        span = node_span(scope.file, node)
        left = self.value(node.node, scope) if node.node is not None else NOTHING
        positional = [self._argument(argument, scope) for argument in node.args]
        named = {str(pair.key): self._argument(pair.value, scope) for pair in node.kwargs}
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            for each in (left, *(argument.value for argument in (*positional, *named.values()))):
                self.ledger.whole(each, span)
            return self._dynamic(node, scope)
        use = FilterUse(self.ledger, left, positional, named, span, jinja_paths)
        return JINJA_READS.get(node.name, FilterUse.whole)(use)

    def _argument(self, node: nodes.Expr, scope: Scope) -> Argument:
        text = str(node.value) if isinstance(node, nodes.Const) and isinstance(node.value, str | int) else None
        return Argument(self.value(node, scope), text)

    def _asked(self, node: nodes.Test, scope: Scope) -> Value:
        if node.name in ("defined", "undefined", "none"):
            self.ledger.presence(self.value(node.node, scope), node_span(scope.file, node))
            return NOTHING
        return self._computed(node, scope)

    # Calls

    def _calls(self, node: nodes.Call, scope: Scope) -> Value:
        return self._call(node, scope, NOTHING)

    def _call(self, node: nodes.Call, scope: Scope, caller: Value) -> Value:
        span = node_span(scope.file, node)
        called = node.node
        if isinstance(called, nodes.Getattr):
            if isinstance(called.node, nodes.Name) and called.node.name == "self":
                top = replace(scope, frames=scope.frames[: scope.top])
                self.level(Super(called.attr, 0), top)
                return NOTHING
            owner = self.value(called.node, scope)
            function = owner.members.get(called.attr, NOTHING)
        else:
            owner, function = NOTHING, self.value(called, scope)
        given = [self.value(argument, scope) for argument in node.args]
        named = {pair.key: self.value(pair.value, scope) for pair in node.kwargs}
        self._dynamic(node, scope)
        if isinstance(called, nodes.Getattr) and called.attr == "get" and node.args and owner.aliases:
            return self._got(node.args[0], owner, given[1:], span)
        self.ledger.whole(Value(owner.aliases | function.aliases), span)
        if isinstance(called, nodes.Getattr) and called.attr in ("items", "values", "keys"):
            self.ledger.whole(owner, span)
        result = NOTHING
        for callee in function.callables:
            result |= self._run(callee, node, given, named, caller, scope)
        if not function.callables:
            for value in (*given, *named.values()):
                self.ledger.whole(value, span)
            result = either((*given, *named.values())) if sites(owner) else NOTHING
        return result

    def _got(self, key: nodes.Expr, owner: Value, default: Sequence[Value], span: Span) -> Value:
        if not (isinstance(key, nodes.Const) and isinstance(key.value, str)):
            self.ledger.widen(owner, span)
            return either((*owner.parts(), *default))
        member = self.ledger.member(owner, key.value, span)
        self.ledger.presence(member, span)
        return self.ledger.take(member, span) | either(default)

    def _dynamic(self, node: nodes.Call | nodes.Filter | nodes.Test, scope: Scope) -> Value:
        for spread in (node.dyn_args, node.dyn_kwargs):
            if spread is not None:
                self.whole(spread, scope)
        return NOTHING

    def _run(
        self, callee: object, node: nodes.Call, given: Sequence[Value], named: Names, caller: Value, scope: Scope
    ) -> Value:
        span = node_span(scope.file, node)
        if isinstance(callee, Body):
            self._run_body(callee, given, {**named, "caller": caller})
        elif isinstance(callee, Super):
            self.level(callee, replace(scope, frames=scope.frames[: scope.top]))
        elif isinstance(callee, Site) and isinstance(callee.node, nodes.For):
            for value in given:
                self.ledger.length(value, span)
                self.note(callee.node, "", self.ledger.elements(value, span))
        elif callee == "namespace":
            for name, value in named.items():
                self.note(node, name, value)
            for value in given:
                self.ledger.whole(value, span)
            return Value(callables=frozenset({Site(node)}))
        elif callee == "dict":
            members = dict(named)
            for value in given:
                self.ledger.whole(value, span)
                members |= value.members
            return self.ledger.made(Value(members=members), span)
        else:
            for value in (*given, *named.values()):
                self.ledger.whole(value, span)
        return NOTHING

    def _run_body(self, body: Body, given: Sequence[Value], named: Names) -> None:
        node = body.node
        parameters = [parameter.name for parameter in node.args]
        excess = [name for name in named if name not in parameters and name != "caller"]
        names: Names = {
            "varargs": Value(element=either(given[len(parameters) :])),
            "kwargs": Value(members={name: named[name] for name in excess}),
            "caller": named.get("caller", NOTHING),
        }
        inner = body.scope.within(names)
        defaults = dict(zip(reversed(parameters), reversed(node.defaults), strict=False))
        for number, parameter in enumerate(parameters):
            value = given[number] if number < len(given) else named.get(parameter)
            if value is None:
                value = self.value(defaults[parameter], inner) if parameter in defaults else NOTHING
            names[parameter] = value | self.noted.get((node, parameter), NOTHING)
        if self._is_running(node):
            for parameter in parameters:
                self.note(node, parameter, names[parameter])
        self.once(node, lambda: self.walk(node.body, inner))


def sites(value: Value) -> Iterator[Site]:
    """Return the namespaces and recursive loops that a value may be."""
    return (callee for callee in value.callables if isinstance(callee, Site))


def _is_list(value: Value) -> bool:
    return value.element is not None or (bool(value.aliases) and value.aliases <= LISTS)


def _is_index(node: nodes.Node) -> bool:
    """Whether an expression can only be a number."""
    if isinstance(node, nodes.Const):
        return isinstance(node.value, int)
    return isinstance(node, nodes.Neg | nodes.Pos) and _is_index(node.node)


_EXPRESSIONS: Mapping[type[nodes.Node], Callable[..., Value]] = {
    nodes.Add: Expressions._add,
    nodes.And: Expressions._either,
    nodes.Call: Expressions._calls,
    nodes.Compare: Expressions._compare,
    nodes.CondExpr: Expressions._condition,
    nodes.Dict: Expressions._dict,
    nodes.Filter: Expressions._filter,
    nodes.Getattr: Expressions._getattr,
    nodes.Getitem: Expressions._getitem,
    nodes.List: Expressions._sequence,
    nodes.Name: Expressions._name,
    nodes.Not: Expressions._not,
    nodes.Or: Expressions._either,
    nodes.Test: Expressions._asked,
    nodes.Tuple: Expressions._sequence,
}
