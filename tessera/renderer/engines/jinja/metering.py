"""Jinja's code generator as templates here are compiled with: bounded, hardened, and knowing where each value stands.

Compiled code counts the steps of each body down itself and asks `Meter.spend` only once they are used up. Bodies write
into a list, which costs less than handing every piece from generator to generator. Nothing is computed while a template
is compiled: `{{ 9 ** (9 ** 9) }}` must not hang there.
"""

from collections.abc import Iterable
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from tessera.renderer.engines.jinja import runtime
from tessera.renderer.engines.jinja.generator import SEEN, FastGenerator
from tessera.renderer.engines.jinja.places import chain_root
from tessera.renderer.engines.jinja.tolls import Tolls, is_number, tolls
from tessera.renderer.engines.jinja.traces import WrittenAt
from tessera.renderer.engines.meter import STEP_BYTES

RUNTIME = ("each", "filtered", "glanced", "joined", "measured", "paid", "written")


class MeteredGenerator(FastGenerator):
    """Generates code for a `JinjaEnvironment`; contexts are `MeteredContext`s."""

    def __init__(self, *settings: Any, **named: Any) -> None:
        super().__init__(*settings, **named)
        self.places: list[WrittenAt] = []
        self._tolls = Tolls({}, {})
        self._column = 0

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self._tolls = tolls(node)
        self.writeline(f"from {runtime.__name__} import {', '.join(RUNTIME)}, TemplateModule")
        super().visit_Template(node, frame)

    def reads_items_first(self, name: str) -> bool:
        """Members come before methods here, whatever their name."""
        return True

    # Places

    def write(self, x: str) -> None:
        begins_line = self._new_lines > 0
        super().write(x)
        self._column = (4 * self._indentation if begins_line else self._column) + len(x.encode())

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(node, nodes.Expr):
            return super().visit(node, *args, **kwargs)
        line, column = self.code_lineno + self._new_lines, 4 * self._indentation if self._new_lines else self._column
        self.places.append((line, column, chain_root(node).lineno))
        if isinstance(node, nodes.Filter):  # Jinja visits those of blocks by another way.
            return super().visit(node, *args, **kwargs)
        return self._charged(node, super().visit, *args, **kwargs)

    # Tolls

    def _charged(self, node: nodes.Node, visit: Any, *args: Any, **kwargs: Any) -> Any:
        payments = self._tolls.values.get(id(node), ())
        self.write("".join(f"{function}(" for function in payments))
        result = visit(node, *args, **kwargs)
        self.write(", meter)" * len(payments))
        return result

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("meter = context.meter")
        self.writeline("concat = context.concat")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        begins_function = frame.buffer is None
        if begins_function:
            self.buffer(frame)
        steps = self._tolls.bodies.get(id(nodes))
        if steps is not None:
            self.writeline(f"meter.left -= {steps}")
            self.writeline("if meter.left < 0: meter.spend(0)")
        super().blockvisit(nodes, frame)
        if begins_function:
            self.writeline(f"yield ''.join({frame.buffer})")

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        self._charged(node, super().visit_Filter, frame)

    # Operators

    def visit_Add(self, node: nodes.BinExpr, frame: Frame) -> None:
        if is_number(node.left) or is_number(node.right):
            self._operate(node, frame)
        else:
            super().visit_Add(node, frame)

    def _operate(self, node: nodes.BinExpr, frame: Frame) -> None:
        self.write("(")
        self.visit(node.left, frame)
        self.write(f" {node.operator} ")
        self.visit(node.right, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("), meter)")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self.write("written(" if forward_caller else "")
        self.write("environment.call(context, ")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write("), meter)" if forward_caller else ")")

    # Output

    def _make_finalize(self) -> CodeGenerator._FinalizeInfo:
        return self._FinalizeInfo(None, None)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(f"(escape_text({SEEN}) if type({SEEN} := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(f") is str and len({SEEN}) < {STEP_BYTES} else written({SEEN}, meter))")

    # Partials

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:
        if node.ignore_missing:
            self.writeline("try:")
            self.indent()
        self.writeline("template = environment.get_or_select_template(", node)
        self.visit(node.template, frame)
        self.write(f", {self.name!r})")
        if node.ignore_missing:
            self.outdent()
            self.writeline("except TemplateNotFound: pass")
            self.writeline("else:")
            self.indent()
        self.writeline(f"for event in template.root_render_func(context.{self._inner_context(node, frame)}):")
        self.indent()
        self.simple_write("event", frame)
        self.outdent(2 if node.ignore_missing else 1)

    def _import_common(self, node: nodes.Import | nodes.FromImport, frame: Frame) -> None:
        self.write("TemplateModule(template := environment.get_template(")
        self.visit(node.template, frame)
        self.write(f", {self.name!r}), context.{self._inner_context(node, frame)})")

    def _inner_context(self, node: nodes.Include | nodes.Import | nodes.FromImport, frame: Frame) -> str:
        return f"within(template, {self.dump_local_context(frame)})" if node.with_context else "apart(template)"
