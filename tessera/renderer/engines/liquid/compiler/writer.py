"""Writes the function of one unit: a template as it is asked for, taken in by `render`, or by `include`."""

import ast
from collections.abc import Callable, Sequence

from liquid import BoundTemplate, Token
from liquid.ast import BlockNode, Node
from liquid.exceptions import LiquidInterrupt, StopRender

from tessera.renderer.engines.liquid.compiler.names import Names
from tessera.renderer.engines.liquid.compiler.runtime import paid_text_of
from tessera.renderer.engines.liquid.compiler.shapes import (
    Catalogue,
    Loop,
    NeedsContext,
    NeedsLoops,
    Uncompiled,
    UnitKey,
)
from tessera.renderer.engines.liquid.compiler.syntax import (
    assign,
    call,
    choose,
    compare,
    const,
    do,
    is_type,
    keep,
    load,
    locate,
    mapping,
    member,
    when,
)
from tessera.renderer.engines.meter import STEP_BYTES

MAX_LOOPS = 8
"""Loops within one another in one function; Python takes twenty blocks."""
MAX_RELOADS = 20_000
"""Names that are looked up again after what python-liquid renders, all of them together."""
MAX_OUTPUTS = 16
"""Outputs that are joined before their size is looked at."""

NOWHERE = Token("", "", 0, "")


class Writer(Names):
    """The function of a unit while it is being written."""

    def __init__(self, units: Catalogue, key: UnitKey, tree: BoundTemplate, shares: bool) -> None:
        super().__init__(units, key, tree, shares)
        self.stateful = shares
        self.interrupts = False
        self.loops: list[Loop] = []
        self.whole: set[int] = set()
        self.steps = 0
        self.output: str | None = "append"
        self._body: list[ast.stmt] = []
        self._text: list[str | ast.expr] = []
        self._reloads: list[ast.If] = []

    def add(self, *statements: ast.stmt) -> None:
        """Add statements, after the text so far."""
        self.flush()
        self._body.extend(statements)

    def suite(self, write: Callable[[], None], repeats: bool, cost: int = 1) -> list[ast.stmt]:
        """Return the statements that a function writes, which pay for themselves first.

        Only where they may be repeated is it asked whether the budget holds: what lies between is but so much text.
        """
        self.flush()
        outer, steps = self._body, self.steps
        self._body, self.steps = [], cost
        try:
            write()
            self.flush()
            paid: list[ast.stmt] = [ast.AugAssign(_left(ast.Store()), ast.Sub(), const(self.steps))]
            return [*paid, *([self.check()] if repeats else []), *self._body]
        finally:
            self._body, self.steps, self._text = outer, steps, []

    def block(self, block: BlockNode, repeats: bool = False) -> list[ast.stmt]:
        """Return the statements of a block. One that could write white space only writes nothing."""
        self.flush()
        output = self.output
        if block.blank:
            self.output = None
        try:
            return self.suite(lambda: self.nodes(block.nodes), repeats)
        finally:
            self.output = output

    def check(self) -> ast.stmt:
        """Return what asks whether the budget holds: `Meter.spend`, without the call."""
        over = compare(_left(ast.Load()), ast.Lt(), const(0))
        return when(over, [do(call(member("meter", "look")))])

    def nodes(self, nodes: Sequence[Node]) -> None:
        """Write nodes one after the other; those without a compiled form are left to python-liquid."""
        for node in nodes:
            self.steps += 1
            kept = len(self._body), list(self._text), self.steps, len(self.scopes), len(self.loops), self.output
            body = self._body
            try:
                self.units.tag(type(node))(self, node)
            except Uncompiled:
                self._body = body
                size, self._text, self.steps, scopes, loops, self.output = kept
                del self._body[size:], self.scopes[scopes:], self.loops[loops:]
                self.interpret(node)
            for statement in self._body[kept[0] :]:
                locate(statement, node.token)
            for piece in self._text:
                if isinstance(piece, ast.expr):
                    locate(piece, node.token)

    # Text

    def write(self, piece: str | ast.expr) -> None:
        """Write a text, or an expression that gives one; what stands together is joined."""
        if self.output is None:
            return
        if isinstance(piece, str) and self._text and isinstance(self._text[-1], str):
            self._text[-1] += piece
        elif piece != "":
            self._text.append(piece)
        if len(self._text) >= 2 * MAX_OUTPUTS:
            self.flush()

    def write_value(self, value: ast.expr) -> None:
        """Write a value as Liquid writes it: a text is escaped at once, anything else the general way."""
        if self.output is None:
            self.add(do(value))
            return
        if isinstance(value, ast.BinOp):
            self.write(value)  # A number that tells of the loop.
            return
        name = self.variable()
        escaped = call("escape_text", load(name))
        general = call(self.constant(paid_text_of), load("run"), load(name))
        self.write(choose(is_type(keep(name, value), "str"), escaped, general))

    def flush(self) -> None:
        """Append the text so far to the output; only what may be long is looked at."""
        pieces, self._text = self._text, []
        if not pieces or self.output is None:
            return
        least = sum(len(piece) for piece in pieces if isinstance(piece, str))
        joined: ast.expr = const(str(pieces[0])) if len(pieces) == 1 and isinstance(pieces[0], str) else _joined(pieces)
        if least >= STEP_BYTES:
            joined = call(member("run", "wrote"), joined)
        elif isinstance(joined, ast.JoinedStr):
            name = self.variable()
            short = compare(call("len", keep(name, joined)), ast.Lt(), const(STEP_BYTES))
            joined = choose(short, load(name), call(member("run", "wrote"), load(name)))
        self._body.append(do(call(self.output, joined)))

    # python-liquid

    def interpret(self, node: Node) -> None:
        """Leave a node to python-liquid, within the names that are in scope here."""
        if not self.shares:
            raise NeedsContext
        if any(loop.whole is None for loop in self.loops):
            raise NeedsLoops
        self.interrupted()
        names = {name: self.value_of(bound) for scope in self.scopes for name, bound in scope.items()}
        output = load(self.output) if self.output else const(None)
        rendered = do(call(member("run", "interpret"), self.constant(node), output, mapping(names.items())))
        reload = ast.If(const(True), [ast.Pass()], [])  # Filled at the end, when all variables are known.
        self._reloads.append(reload)
        self.add(ast.Try([rendered], [], [], [reload]))  # What is left by `continue` may have set names, too.

    def interrupted(self) -> None:
        """Note that what is written next may leave the loop around it by an exception."""
        if self.loops:
            self.loops[-1].interrupted = True
        else:
            self.interrupts = True

    def setting(self, name: str, value: ast.expr) -> list[ast.stmt]:
        """Return what sets a name, for the rest of the template."""
        variable = self.own(name)
        if not self.shares:
            return [assign(variable, value)]
        names = ast.Attribute(member("run", "context"), "locals", ast.Load())
        shared = ast.Assign([ast.Subscript(names, const(name), ast.Store())], load(variable))
        return [assign(variable, value), shared]

    # The whole

    def function(self) -> ast.FunctionDef:
        """Return the function; afterwards `parameters` are complete."""
        for name in sorted(self.assigned):
            if self.key.role != "main":
                self.own(name)
        body = self.suite(lambda: self.nodes(self.tree.nodes), repeats=True, cost=0)
        if len(self._reloads) * len(self.parameters) > MAX_RELOADS:
            raise Uncompiled
        for reload in self._reloads:
            reload.body.extend(self._reloaded())
        handlers = []
        if self.shares:
            handlers.append(ast.ExceptHandler(self.constant(StopRender), None, [ast.Pass()]))
        if self.interrupts and self.key.role != "include":
            handlers.append(ast.ExceptHandler(self.constant(LiquidInterrupt), None, [ast.Pass()]))
        if handlers:
            body = [ast.Try(body or [ast.Pass()], handlers, [], [])]
        body = [*self._begun(), *body]
        begin: list[ast.stmt] = [assign("meter", member("run", "meter"))]
        names = ["run", "append"]
        if self.key.role == "main":
            names = ["run", "inputs"]
            begin += [assign("parts", ast.List([], ast.Load())), assign("append", member("parts", "append"))]
            last = self.check()
            locate(last, self.tree.nodes[-1].token if self.tree.nodes else NOWHERE)
            body.append(last)
            body.append(ast.Return(call(ast.Attribute(const(""), "join", ast.Load()), load("parts"))))
        else:
            names += self.parameters.values()
            if self.assigned:
                values: list[ast.expr] = [load(self.own(name)) for name in sorted(self.assigned)]
                body.append(ast.Return(ast.Tuple(values, ast.Load())))
        arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        function = ast.FunctionDef("render", arguments, [*begin, *body], [])
        locate(function, self.tree.nodes[0].token if self.tree.nodes else NOWHERE)
        return function

    def _begun(self) -> list[ast.stmt]:
        begun: list[ast.stmt] = []
        asked = self.objects_asked(self.parameters.values())
        if self.key.role != "main":
            return asked
        if self.stateful:
            begun.append(do(call(member("run", "begin"), self.constant(self.tree), load("inputs"))))
        look_up = ast.Attribute(load("inputs"), "get", ast.Load())
        for parameter, variable in self.parameters.items():
            begun.append(assign(variable, call(look_up, const(parameter.name), self.undefined(parameter.name))))
        return [*begun, *asked]

    def _reloaded(self) -> list[ast.stmt]:
        scope = ast.Attribute(ast.Attribute(load("run"), "context", ast.Load()), "scope", ast.Load())
        look_up = ast.Attribute(scope, "get", ast.Load())
        reloaded = [
            assign(variable, call(look_up, const(parameter.name), self.undefined(parameter.name)))
            for parameter, variable in self.parameters.items()
            if parameter.kind != "input"
        ]
        for statement in reloaded:
            locate(statement, NOWHERE)
        return reloaded


def _left(usage: ast.expr_context) -> ast.Attribute:
    return ast.Attribute(load("meter"), "left", usage)


def _joined(pieces: list[str | ast.expr]) -> ast.JoinedStr:
    values = [const(piece) if isinstance(piece, str) else ast.FormattedValue(piece, -1) for piece in pieces]
    return ast.JoinedStr(list(values))
