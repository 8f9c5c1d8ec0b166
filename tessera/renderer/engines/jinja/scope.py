"""The names that a Jinja template sees, and what can be called, while its demands are worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from jinja2 import nodes

from tessera.renderer.engines.demands import NOTHING, Value, of

Names = dict[str, Value]


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block and the file that it stands in."""

    file: str
    node: nodes.Block


Blocks = Mapping[str, tuple[PlacedBlock, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names at one point: frames, innermost last, and whether what none of them has is an input.

    Blocks see the first `top` frames. `blocks` holds, for each name, the blocks that override one another, first the
    one that wins.
    """

    file: str
    frames: tuple[Names, ...]
    inputs: bool = True
    top: int = 1
    blocks: Blocks = field(default_factory=dict)

    def look_up(self, name: str) -> Value:
        """Return what a name stands for."""
        return self._found(self.frames, name)

    def beyond(self, name: str) -> Value:
        """Return what a name stands for that the innermost frame does not set."""
        return self._found(self.frames[:-1], name)

    def within(self, names: Names | None = None) -> "Scope":
        """Return the scope of a body in this one."""
        return replace(self, frames=(*self.frames, {} if names is None else names))

    def become(self, names: Names) -> None:
        """Let the innermost frame hold these names. It stays the same object: macros close over it."""
        frame = self.frames[-1]
        kept = dict(names)
        frame.clear()
        frame.update(kept)

    def _found(self, frames: Sequence[Names], name: str) -> Value:
        for frame in reversed(frames):
            if name in frame:
                return frame[name]
        return of((name,)) if self.inputs else NOTHING


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A macro, or what a `call` hands to one as its caller, with the scope that it closes over."""

    node: nodes.Macro | nodes.CallBlock
    scope: Scope


@dataclass(frozen=True, slots=True)
class Super:
    """What `super` calls in a block: the block that it overrides."""

    name: str
    level: int


@dataclass(frozen=True, slots=True)
class Site:
    """A namespace or a recursive loop, told by the node that makes it."""

    node: nodes.Node


GLOBALS: Mapping[str, Value] = {name: Value(callables=frozenset({name})) for name in ("dict", "namespace", "range")}

BARE = Scope("", (dict(GLOBALS),), inputs=False)
"""What a template sees that is taken in without context."""
