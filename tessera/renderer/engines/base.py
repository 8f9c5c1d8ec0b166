"""What the rest of the renderer knows of a template, whichever language it is written in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tessera.renderer.core.assets import Asset
from tessera.renderer.core.paths import Path
from tessera.renderer.core.policy import Policy
from tessera.renderer.core.quotients import Tests
from tessera.rules.source import Span


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one template: what loading it and rendering it once may cost at most.

    The defaults leave a rail of a hundred items far below them and end every hostile template that we know within
    about a tenth of a second.
    """

    steps: int = 50_000
    """Work of one render. A tag or an output is a step, a filter four, a partial ten; so are 256 bytes of text on their
    way one, and an element of a list wherever the list is looked up or looked through."""
    render_ms: float = 250
    """Time of one render, in milliseconds of the processor's. Steps are counted; this is for what they do not tell."""
    output_bytes: int = 500_000
    """Size of one rendered fragment, in UTF-8."""
    value_bytes: int = 100_000
    """Size of any value that a template makes for itself; an entry of a list counts as 8 bytes and its own size."""
    include_depth: int = 10
    """How many templates may be open within one another, the first one included."""
    source_bytes: int = 65_536
    """Size of one template file. A plain text partial may be as large as one output."""


TOO_DEEP = "the template nests too deeply"


FALLBACK = "fallback"
ABORT_TAKES = f'`abort` shows nothing, and `abort "{FALLBACK}"` the default of the slot; it takes nothing else'


class Abort(Exception):
    """A template ended its own fragment: it shows nothing, or the slot's default where `fallback` says so."""

    def __init__(self, *, fallback: bool) -> None:
        super().__init__(fallback)
        self.fallback = fallback


class RenderError(Exception):
    """A template failed while it was rendered: a fault in it, a limit that it reached, or data that it cannot handle.

    `line` and `column` count from 1 and are those of `template`, which may be a partial of the template that was asked
    for. The column is 1 where only the line is known.
    """

    def __init__(self, message: str, template: str, line: int, column: int) -> None:
        super().__init__(message, template, line, column)
        self.message = message
        self.template = template
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.template}:{self.line}:{self.column}: {self.message}"


class SyntaxFault(Exception):
    """A template cannot be read: it breaks its language, or asks for something that this house does not offer."""

    def __init__(self, message: str, line: int = 1, column: int = 1, width: int = 1) -> None:
        super().__init__(message, line, column, width)
        self.message = message
        self.line = line
        self.column = column
        self.width = width


def in_house_style(message: str) -> str:
    """Write a complaint of a template language as this house does: lowercase, no full stop, words in backticks."""
    quoted = re.sub(r"'([^'`]*)'", r"`\1`", message.strip().rstrip("."))
    return quoted[:1].lower() + quoted[1:]


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where a template takes in another one.

    `name` is None where only the data decides which one. `tag` is the word that takes it in: `include`, `render`, ….
    """

    tag: str
    name: str | None
    span: Span
    optional: bool = False


class Template(Protocol):
    """A loaded template. Immutable, and safe to render from several threads at once."""

    @property
    def name(self) -> str:
        """Path below the folder of templates, with its suffix: `home/hero.liquid`."""

    @property
    def version(self) -> str:
        """Hex digest of everything but the inputs that decides its output: its text, its partials', the engine's."""

    @property
    def demands(self) -> frozenset[Path]:
        """Every path of the inputs that a render can read, partials included. `()` stands for all inputs."""

    @property
    def tests(self) -> Tests:
        """Of those demands that are only tested, what is asked: all else of them a render cannot tell."""

    @property
    def reads(self) -> tuple[tuple[Path, Span], ...]:
        """Each demanded path with the first place that reads it; places may lie in partials."""

    @property
    def takes_in(self) -> frozenset[str]:
        """The names of the other templates that it is made of, directly or by way of others."""

    @property
    def widened(self) -> tuple[Span, ...]:
        """Where a whole object had to be demanded because what is read of it depends on data."""

    @property
    def nested(self) -> "tuple[tuple[str, Template], ...]":
        """The fragments that are nested in it, by the names of their marks; see `core.layout`."""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """What it states that pages have to load for it, partials included."""

    @property
    def policy(self) -> Policy:
        """What a Content-Security-Policy has to allow where it is shown, partials included."""

    def render(self, inputs: Mapping[str, object]) -> str:
        """Return the fragment. `inputs` hold plain data only: dict, list, str, numbers, bool, datetime, None.

        Values that `inputs` lack are empty. Where the template aborts to show nothing that is an empty text; where it
        asks for the slot's default, raises Abort. Raises RenderError.
        """
