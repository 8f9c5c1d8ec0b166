"""`render` and `include`: a partial is a function that is handed what the names in it stand for."""

import ast

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import KeywordArgument, StringLiteral
from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.exceptions import TemplateNotFoundError

from tessera.renderer.engines.liquid.compiler.expressions import paid_value
from tessera.renderer.engines.liquid.compiler.shapes import Binding, Uncompiled, Unit, UnitKey
from tessera.renderer.engines.liquid.compiler.syntax import (
    assign,
    call,
    compare,
    const,
    do,
    load,
    mapping,
    member,
    when,
)
from tessera.renderer.engines.liquid.compiler.tags import Tag
from tessera.renderer.engines.liquid.compiler.writer import Writer
from tessera.renderer.engines.meter import PARTIAL_STEPS


def include(writer: Writer, node: IncludeNode) -> None:
    """Take in a partial that sees everything around it, and whose tags set names for what follows."""
    tree = _tree(writer, node)
    if writer.key.role == "render":
        raise Uncompiled  # It is refused there, which python-liquid says best.
    names = _arguments(writer, node.args)
    with writer.scope(names):
        if node.var is None:
            writer.add(*_included(writer, tree))
            return
        bound, element = writer.variable(), writer.variable()
        writer.add(assign(bound, paid_value(writer, node.var)))
        names[_bound_name(node, tree)] = element
        each = ast.For(ast.Name(element, ast.Store()), load(bound), _included(writer, tree), [])
        once = [assign(element, load(bound)), *_included(writer, tree)]
    writer.add(when(_is_list(writer, bound), [_pay_for(bound), each], once))


def _included(writer: Writer, tree: BoundTemplate) -> list[ast.stmt]:
    """Return the call of a partial that sees what is in scope here."""
    around = {name for scope in writer.scopes for name in scope} | writer.key.hidden
    unit = _unit(writer, UnitKey(writer.units.name_of(tree), "include", writer.units.assigned(tree) & around))
    if unit.interrupts:
        if unit.assigned:
            raise Uncompiled  # What it sets would be lost on the way.
        writer.interrupted()
    values: list[ast.expr] = []
    for parameter in unit.parameters:
        if parameter.kind == "seen":
            values.append(writer.value_of(writer.look_up(parameter.name)))
        else:
            values.append(load((writer.own if parameter.kind == "set" else writer.input)(parameter.name)))
    made = call(writer.constant(unit.function), load("run"), load(writer.output or ""), *values)
    if not unit.assigned:
        return [do(made)]
    if not writer.shares:
        names: list[ast.expr] = [ast.Name(writer.own(name), ast.Store()) for name in unit.assigned]
        return [ast.Assign([ast.Tuple(names, ast.Store())], made)]
    given = writer.variable()
    statements = [assign(given, made)]
    for number, name in enumerate(unit.assigned):
        new = ast.Subscript(load(given), const(number), ast.Load())
        changed = compare(ast.Subscript(load(given), const(number), ast.Load()), ast.IsNot(), load(writer.own(name)))
        statements.append(when(changed, writer.setting(name, new)))
    return statements


def render(writer: Writer, node: RenderNode) -> None:
    """Take in a partial that sees only what it is handed, and the inputs."""
    tree = _tree(writer, node)
    unit = _unit(writer, UnitKey(writer.units.name_of(tree), "render"))
    names = _arguments(writer, node.args)
    if node.var is None:
        writer.add(*_isolated(writer, tree, unit, names))
        return
    bound, element, key = writer.variable(), writer.variable(), _bound_name(node, tree)
    writer.add(assign(bound, paid_value(writer, node.var)))
    once = [assign(element, load(bound)), *_isolated(writer, tree, unit, {**names, key: element})]
    if node.loop:
        looped = _for_each(writer, tree, unit, names, (bound, element, key))
        writer.add(when(_is_list(writer, bound), looped, once))
    else:
        writer.add(*once)


def _isolated(writer: Writer, tree: BoundTemplate, unit: Unit, names: dict[str, Binding]) -> list[ast.stmt]:
    run: ast.expr = load("run")
    if unit.stateful:
        handed = mapping((name, writer.value_of(bound)) for name, bound in names.items())
        run = call(member("run", "isolated"), writer.constant(tree), handed)
    return [do(_called(writer, unit, run, names))]


def _for_each(
    writer: Writer, tree: BoundTemplate, unit: Unit, names: dict[str, Binding], loop: tuple[str, str, str]
) -> list[ast.stmt]:
    """Return a loop over partials. What one of them sets, later ones see: python-liquid has one context for all."""
    bound, element, key = loop
    forloop = writer.variable()
    names = {**names, "forloop": forloop, key: element}
    if {"forloop", key} & {*unit.assigned}:
        raise Uncompiled
    statements = [_pay_for(bound)]
    asked = any(parameter.name == "forloop" for parameter in unit.parameters) or unit.stateful
    source = load(bound)
    if asked:
        length = call("len", load(bound))
        made = call(
            writer.constant(ForLoop), const(key), call("iter", load(bound)), length, writer.undefined("parentloop")
        )
        statements.append(assign(forloop, made))
        source = load(forloop)
    run: ast.expr = load("run")
    body: list[ast.stmt] = []
    if unit.stateful:
        handed, inner = writer.variable(), writer.variable()
        given = [(name, writer.value_of(value)) for name, value in names.items() if name != key]
        statements.append(assign(handed, mapping(given)))
        statements.append(assign(inner, call(member("run", "isolated"), writer.constant(tree), load(handed))))
        body.append(ast.Assign([ast.Subscript(load(handed), const(key), ast.Store())], load(element)))
        run = load(inner)
    carried: list[ast.expr] = []
    for name in unit.assigned:
        variable = writer.variable()
        statements.append(assign(variable, _handed(writer, names, name)))
        names[name] = variable
        carried.append(ast.Name(variable, ast.Store()))
    made = _called(writer, unit, run, names)
    body.append(ast.Assign([ast.Tuple(carried, ast.Store())], made) if carried else do(made))
    return [*statements, ast.For(ast.Name(element, ast.Store()), source, body, [])]


def _called(writer: Writer, unit: Unit, run: ast.expr, names: dict[str, Binding]) -> ast.Call:
    values = [
        load(writer.input(parameter.name)) if parameter.kind == "input" else _handed(writer, names, parameter.name)
        for parameter in unit.parameters
    ]
    return call(writer.constant(unit.function), run, load(writer.output or ""), *values)


def _handed(writer: Writer, names: dict[str, Binding], name: str) -> ast.expr:
    return writer.value_of(names[name]) if name in names else load(writer.input(name))


def _arguments(writer: Writer, arguments: list[KeywordArgument]) -> dict[str, Binding]:
    names: dict[str, Binding] = {}
    for argument in arguments:
        variable = writer.variable()
        writer.add(assign(variable, paid_value(writer, argument.value)))
        names[argument.name] = variable
    return names


def _tree(writer: Writer, node: IncludeNode | RenderNode) -> BoundTemplate:
    if type(node.name) is not StringLiteral or writer.output is None:
        raise Uncompiled  # Only the data decides which one.
    writer.steps += PARTIAL_STEPS
    try:
        return writer.units.environment.find(str(node.name.value))
    except TemplateNotFoundError:
        raise Uncompiled from None


def _unit(writer: Writer, key: UnitKey) -> Unit:
    unit = writer.units.unit(key)
    if unit is None:
        raise Uncompiled
    writer.stateful = writer.stateful or unit.stateful
    return unit


def _bound_name(node: IncludeNode | RenderNode, tree: BoundTemplate) -> str:
    return str(node.alias or tree.name.split(".")[0])


def _is_list(writer: Writer, variable: str) -> ast.expr:
    return call("isinstance", load(variable), writer.constant((tuple, list)))


def _pay_for(variable: str) -> ast.stmt:
    return do(call(member("meter", "spend"), call("len", load(variable))))


PARTIALS: dict[type[Node], Tag] = {IncludeNode: include, RenderNode: render}
