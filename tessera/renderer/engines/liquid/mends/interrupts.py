"""`{% break %}` and `{% continue %}` outside of loops end the template that they stand in.

In Liquid an interrupt that no loop takes ends the render, and what was written so far stays; in a template that is
taken in with `render` it ends that one alone (`Liquid::BlockBody#render_to_output_buffer`). python-liquid makes it an
error.
"""

from typing import Any, TextIO

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import LiquidInterrupt, LiquidSyntaxError


class InterruptedTemplate(BoundTemplate):
    """A template that ends where it is interrupted."""

    def render_with_context(self, context: RenderContext, buffer: TextIO, *args: Any, **named: Any) -> None:
        """Render the template, or as much of it as comes before an interrupt; see `BoundTemplate`."""
        try:
            super().render_with_context(context, buffer, *args, **named)
        except LiquidSyntaxError as error:
            if not isinstance(error.__context__, LiquidInterrupt):
                raise
