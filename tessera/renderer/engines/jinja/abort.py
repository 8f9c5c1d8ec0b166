"""Jinja's tag `abort`: the fragment ends here, and shows nothing or the slot's default."""

from typing import Any

from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from tessera.renderer.engines.base import ABORT_TAKES, FALLBACK, Abort

ABORT = "end of the fragment"
"""The filter that the tag becomes: no template can spell its name."""


@pass_context
def abort(_context: Context, fallback: Any) -> None:
    """End the render. As it takes the context, Jinja never calls it while it compiles."""
    raise Abort(fallback=bool(fallback))


class AbortTag(Extension):
    """`{% abort %}` and `{% abort "fallback" %}`."""

    tags = {"abort"}  # noqa: RUF012 (declared so by jinja2)

    def parse(self, parser: Parser) -> nodes.Node:
        """Read one use of the tag; raises TemplateSyntaxError."""
        line = next(parser.stream).lineno
        fallback = not parser.stream.current.test("block_end")
        if fallback:
            given = next(parser.stream)
            if (given.type, given.value) != ("string", FALLBACK):
                raise TemplateSyntaxError(ABORT_TAKES, given.lineno, parser.name, parser.filename)
        call = nodes.Filter(nodes.Const(fallback, lineno=line), ABORT, [], [], None, None, lineno=line)
        return nodes.ExprStmt(call, lineno=line)
