"""What a Liquid template can read: an abstract interpreter over python-liquid's own tree.

It follows python-liquid's scopes: `for` and `include` push names, `assign` and `capture` set names of the template
until its end, `render` and macros see only their arguments and the inputs. A name that is assigned on one way to a
place and not on another stands for both what was assigned and the input of that name. Tags that it does not know count
as reading everything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from liquid import BoundTemplate, Token
from liquid.ast import BlockNode as Block
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import KeywordArgument, LoopExpression, StringLiteral
from liquid.builtin.expressions.logical import EqExpression
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.builtin.tags.tablerow_tag import TablerowNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression
from liquid.extra.tags.extends_tag import BlockNode as InheritedBlock
from liquid.extra.tags.extends_tag import ExtendsNode
from liquid.extra.tags.macro_tag import CallNode, MacroNode

from tessera.renderer.engines.demands import LISTS, NOTHING, Demands, TooComplexError, Value, either, of
from tessera.renderer.engines.liquid.abort import AbortNode
from tessera.renderer.engines.liquid.expressions import Expressions
from tessera.renderer.engines.liquid.fragment import FragmentNode
from tessera.renderer.engines.liquid.scope import Names, Scope, State
from tessera.renderer.engines.liquid.tree import LiquidBlock, inheritance
from tessera.rules.source import Span

MAX_ROUNDS = 10


def liquid_demands(template: BoundTemplate, find: Callable[[str], BoundTemplate], root: str) -> Demands:
    """Return what a parsed template can read.

    `find` gives a partial by the name that a tag has for it; `root` is what stands before a template's path in spans.
    """
    walker = _Walker(template, find, root)
    try:
        walker.walk(template.nodes, Scope())
    except (TooComplexError, RecursionError):
        return Demands.everything(Span(walker.file, 1, 1, 1))
    return walker.ledger.demands()


class _Walker(Expressions):
    """Visits every tag in the order of a render, both ways of each branch."""

    def __init__(self, template: BoundTemplate, find: Callable[[str], BoundTemplate], root: str) -> None:
        super().__init__(template)
        self._find = find
        self._root = root
        self._interrupts: list[list[State]] = []
        self._blocks: Mapping[str, Sequence[LiquidBlock]] = {}
        self._parents: tuple[Sequence[LiquidBlock], Scope] = ((), Scope())

    @property
    def file(self) -> str:
        """Where spans say that the template being walked lies."""
        return self._root + str(self._template.path)

    def walk(self, nodes: Iterable[Node], scope: Scope) -> None:
        """Visit nodes in order, up to an `extends`, which ends its template."""
        for node in nodes:
            self.ledger.visit()
            handler = next((_TAGS[kind] for kind in type(node).__mro__ if kind in _TAGS), _Walker._unknown)
            handler(self, node, scope)
            if isinstance(node, ExtendsNode):
                return

    # Branches and loops

    def _branches(self, scope: Scope, bodies: Iterable[Sequence[Node]]) -> None:
        """Take exactly one of several ways."""
        before, after = scope.state(), None
        for body in bodies:
            scope.become(before)
            self.walk(body, scope)
            after = scope.state() if after is None else scope.merged(after, scope.state())
        scope.become(after or before)

    def _repeat(self, scope: Scope, body: Callable[[], None], span: Span) -> None:
        """Do something any number of times, none included, until it sets nothing new."""
        for round_number in range(MAX_ROUNDS):
            before = scope.state()
            self._interrupts.append([])
            body()
            after = scope.merged(before, scope.state())
            for interrupted in self._interrupts.pop():
                after = scope.merged(after, interrupted)
            if round_number == MAX_ROUNDS - 1:
                after = ({name: self.ledger.settle(value, span) for name, value in after[0].items()}, after[1])
            scope.become(after)
            if after == before:
                return

    def _loop(self, expression: LoopExpression, names: Names, body: Sequence[Node], scope: Scope, token: Token) -> None:
        span = self.span(token)
        iterable = self.value(expression.iterable, scope)
        self.ledger.length(iterable, self.span(expression.iterable.token, str(expression.iterable)))
        for bound in (expression.limit, expression.offset, expression.cols):
            if bound is not None:
                self.whole(bound, scope)
        scope.pushed.append({**names, expression.identifier: self.ledger.elements(iterable, span)})
        self._repeat(scope, lambda: self.walk(body, scope), span)
        scope.pushed.pop()

    def _for(self, node: ForNode, scope: Scope) -> None:
        self._loop(node.expression, {"forloop": NOTHING}, [node.block], scope, node.token)
        if node.default:
            self._branches(scope, [[], [node.default]])

    def _tablerow(self, node: TablerowNode, scope: Scope) -> None:
        self._loop(node.expression, {"tablerowloop": NOTHING}, [node.block], scope, node.token)

    def _break(self, _node: Node, scope: Scope) -> None:
        self._interrupt(scope)

    def _interrupt(self, scope: Scope) -> None:
        if self._interrupts:
            self._interrupts[-1].append(scope.state())

    def _if(self, node: IfNode | UnlessNode, scope: Scope) -> None:
        self.test(node.condition, scope)
        for alternative in node.alternatives:
            self.test(alternative.expression, scope)
        bodies: list[Sequence[Node]] = [[node.consequence], *([each.block] for each in node.alternatives)]
        self._branches(scope, [*bodies, [node.default] if node.default else []])

    def _case(self, node: CaseNode, scope: Scope) -> None:
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                for expression in block.expression.expressions:
                    self.test(EqExpression(expression.token, node.expression, expression), scope)
                # Several may match, and one that matches twice is rendered twice.
                self._repeat(scope, partial(self.walk, [block.block], scope), self.span(node.token))
            else:
                self._branches(scope, [[], [block]])

    # Plain tags

    def _nothing(self, _node: Node, _scope: Scope) -> None:
        pass

    def _unknown(self, node: Node, _scope: Scope) -> None:
        self.ledger.everything(self.span(node.token))

    def _output(self, node: OutputNode, scope: Scope) -> None:
        self.whole(node.expression, scope)

    def _sequence(self, node: Block, scope: Scope) -> None:
        self.walk(node.nodes, scope)

    def _within(self, node: LiquidNode | IfChangedNode, scope: Scope) -> None:
        self.walk([node.block], scope)

    def _assign(self, node: AssignNode, scope: Scope) -> None:
        scope.locals[node.name] = self.value(node.expression, scope)

    def _capture(self, node: CaptureNode, scope: Scope) -> None:
        self.walk([node.block], scope)
        scope.locals[node.name] = NOTHING

    def _cycle(self, node: CycleNode, scope: Scope) -> None:
        for expression in node.expressions():
            self.whole(expression, scope)

    # Partials

    def _in_template(self, template: BoundTemplate, work: Callable[[], None]) -> None:
        caller, self._template = self._template, template
        work()
        self._template = caller

    def _include(self, node: IncludeNode, scope: Scope) -> None:
        if not isinstance(node.name, StringLiteral):
            self.whole(node.name, scope)
            self.ledger.everything(self.span(node.token))
            return
        partial = self._find(node.name.value)
        names = self._arguments(node.args, scope)
        scope.pushed.append(names)
        if node.var is None:
            self._in_template(partial, lambda: self.walk(partial.nodes, scope))
        else:
            names[_bound_name(node.alias, partial)] = self._one_or_each(node.var, scope)
            span = self.span(node.token)
            self._in_template(partial, lambda: self._repeat(scope, lambda: self.walk(partial.nodes, scope), span))
        scope.pushed.pop()

    def _render(self, node: RenderNode, scope: Scope) -> None:
        if not isinstance(node.name, StringLiteral):
            self._unknown(node, scope)
            return
        partial = self._find(node.name.value)
        names = self._arguments(node.args, scope)
        if node.var is not None:
            bound = self._one_or_each(node.var, scope) if node.loop else self.value(node.var, scope)
            names[_bound_name(node.alias, partial)] = bound
            if node.loop:
                names["forloop"] = NOTHING | names.get("forloop", of(("forloop",)))
        inner, span = Scope(handed=(names,)), self.span(node.token)
        self._isolated(
            scope,
            lambda: self._in_template(
                partial, lambda: self._repeat(inner, lambda: self.walk(partial.nodes, inner), span)
            ),
        )

    def _isolated(self, scope: Scope, work: Callable[[], None]) -> None:
        """Do something that sets nothing for what comes after it, though it may interrupt the loop around it."""
        outer, self._interrupts = self._interrupts, [[]]
        work()
        inner, self._interrupts = self._interrupts, outer
        if inner[0]:
            self._interrupt(scope)

    def _arguments(self, arguments: Iterable[KeywordArgument], scope: Scope) -> Names:
        return {argument.name: self.value(argument.value, scope) for argument in arguments}

    def _one_or_each(self, expression: Expression, scope: Scope) -> Value:
        """Return what a partial sees of a value of which, if it is a list, it gets each element in turn."""
        value, span = self.value(expression, scope), self.span(expression.token, str(expression))
        self.ledger.length(value, span)
        alone = Value(value.aliases - LISTS, value.members, None, value.callables)
        return alone | self.ledger.elements(value, span)

    # Macros and inheritance

    def _macro(self, node: MacroNode, scope: Scope) -> None:
        scope.macros[node.name] = frozenset({node})

    def _call(self, node: CallNode, scope: Scope) -> None:
        given = [self.value(argument.value, scope) for argument in node.args]
        named = self._arguments(node.kwargs, scope)
        for macro in scope.macros.get(node.name, ()):
            defaults = {
                name: self.value(parameter.value, scope) if parameter.value else NOTHING
                for name, parameter in macro.args.items()
            }
            excess = {name: value for name, value in named.items() if name not in macro.args}
            bound = {
                **defaults,
                **dict(zip(macro.args, given, strict=False)),
                **{name: value for name, value in named.items() if name in macro.args},
                "args": Value(element=either(given[len(macro.args) :])),
                "kwargs": Value(members=excess),
            }
            inner = Scope(handed=(bound, *scope.handed))
            self._isolated(scope, partial(self.walk, [macro.block], inner))

    def _extends(self, _node: ExtendsNode, scope: Scope) -> None:
        base, blocks = inheritance(self._template, self._find)
        outer, self._blocks = self._blocks, blocks
        self._in_template(base, lambda: self.walk(base.nodes, scope))
        self._blocks = outer

    def _block(self, node: InheritedBlock, scope: Scope) -> None:
        stack = self._blocks.get(node.name, ())
        if stack:
            inner = Scope(list(scope.pushed), dict(scope.locals), scope.handed)
            self._isolated(scope, partial(self._override, stack, inner, scope))
        else:
            scope.pushed.append({"block": NOTHING})
            self.walk([node.block], scope)
            scope.pushed.pop()

    def _override(self, stack: Sequence[LiquidBlock], scope: Scope, outer: Scope) -> None:
        """Walk the first of the blocks of one name; `block.super` in it is the next one, rendered in `outer`."""
        parents, self._parents = self._parents, (stack[1:], outer)
        scope.pushed.append({"block": Value(callables=frozenset({"super"}))})
        self._in_template(stack[0].template, partial(self.walk, [stack[0].node.block], scope))
        scope.pushed.pop()
        self._parents = parents

    def parent_block(self, scope: Scope) -> None:
        stack, outer = self._parents
        if stack:
            before = outer.state()
            self._override(stack, outer, outer)
            outer.become(outer.merged(before, outer.state()))
            scope.locals |= {name: scope.look_up(name) | value for name, value in outer.locals.items()}


def _bound_name(alias: str | None, partial: BoundTemplate) -> str:
    """Return the name under which a partial gets what a tag hands to it with `with` or `for`."""
    return alias or partial.name.split(".")[0]


_TAGS: Mapping[type[Node], Callable[..., None]] = {
    AbortNode: _Walker._nothing,
    AssignNode: _Walker._assign,
    Block: _Walker._sequence,
    BreakNode: _Walker._break,
    CallNode: _Walker._call,
    CaptureNode: _Walker._capture,
    CaseNode: _Walker._case,
    CommentNode: _Walker._nothing,
    ContentNode: _Walker._nothing,
    ContinueNode: _Walker._break,
    CycleNode: _Walker._cycle,
    DecrementNode: _Walker._nothing,
    DocNode: _Walker._nothing,
    ExtendsNode: _Walker._extends,
    ForNode: _Walker._for,
    FragmentNode: _Walker._nothing,
    IfChangedNode: _Walker._within,
    IfNode: _Walker._if,
    IncludeNode: _Walker._include,
    IncrementNode: _Walker._nothing,
    InheritedBlock: _Walker._block,
    LiquidNode: _Walker._within,
    MacroNode: _Walker._macro,
    OutputNode: _Walker._output,
    RenderNode: _Walker._render,
    TablerowNode: _Walker._tablerow,
    UnlessNode: _Walker._if,
}
