"""Jinja's code generator, with what measurements showed to be slow replaced; templates mean what they mean to Jinja.

Set as an environment's `code_generator_class` (a public extension point). Three things differ in what it generates:
texts are escaped by the C core, members of exact dicts are read without asking the environment where both ways lead to
the same, and so are properties of loops. Whatever is of another type takes Jinja's own path.
"""

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.runtime import LoopContext

from tessera.renderer.engines import escaping

LOOP_PROPERTIES = frozenset(name for name in vars(LoopContext) if not name.startswith("_"))
SEEN = "seen"
"""The local variable of generated code that holds a value while its type is looked at; never across an evaluation."""


class FastGenerator(CodeGenerator):
    """Generates faster code for any environment."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self.writeline(f"from {escaping.__name__} import escape_text")
        super().visit_Template(node, frame)

    def reads_items_first(self, name: str) -> bool:
        """Whether a member of an exact dict is the item of that name, if there is one: a method would go first."""
        return not hasattr(dict, name)

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        if self.environment.is_async:
            super().visit_Getattr(node, frame)
        elif isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in LOOP_PROPERTIES:
            loop = frame.symbols.ref("loop")
            self.write(f"({loop}.{node.attr} if type({loop}) is LoopContext else ")
            super().visit_Getattr(node, frame)
            self.write(")")
        elif self.reads_items_first(node.attr):
            self._read_member("getattr", node.node, node.attr, frame)
        else:
            super().visit_Getattr(node, frame)

    @optimizeconst
    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if isinstance(key, str) and not self.environment.is_async:
            self._read_member("getitem", node.node, key, frame)
        else:
            super().visit_Getitem(node, frame)

    def _read_member(self, method: str, owner: nodes.Expr, name: str, frame: Frame) -> None:
        self.write(f"({SEEN}[{name!r}] if type({SEEN} := ")
        self.visit(owner, frame)
        self.write(f") is dict and {name!r} in {SEEN} else environment.{method}({SEEN}, {name!r}))")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"(escape_text({SEEN}) if type({SEEN} := {finalize.src or '('}")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(f")) is str else escape({SEEN}))")
