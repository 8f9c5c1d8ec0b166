"""What compiling speaks of: units, what they are handed, loops, and why something has no compiled form."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Literal, Protocol

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.undefined import Undefined

from tessera.renderer.engines.liquid.environment import LiquidEnvironment

Role = Literal["main", "render", "include"]


class Uncompiled(Exception):
    """Something has no compiled form where it stands: python-liquid is to render the node around it."""


class NeedsLoops(Exception):
    """More is asked of the loops around than their plain fields: they must be python-liquid's own."""


class NeedsContext(Exception):
    """A node is to be rendered by python-liquid, but the function was begun without its context."""


@dataclass(frozen=True, slots=True)
class UnitKey:
    """What makes a unit: a template, how it is taken in, and which names that it sets are hidden around it."""

    template: str
    role: Role
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name whose value a partial is handed.

    `seen`: what the name stands for where the partial is taken in. `set`: the same without what hides the names that
    the partial sets; it hands them back. `input`: what it stands for among the inputs.
    """

    kind: Literal["seen", "set", "input"]
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A compiled unit: `function(run, inputs)` of a template, `function(run, append, *parameters)` of a partial.

    `assigned`: the names whose values a partial hands back, in this order. `stateful`: it needs python-liquid's own
    context. `interrupts`: it may leave a loop that lies outside of it.
    """

    key: UnitKey
    tree: BoundTemplate
    function: FunctionType
    parameters: tuple[Parameter, ...]
    assigned: tuple[str, ...]
    stateful: bool
    interrupts: bool


@dataclass(slots=True)
class Loop:
    """A loop around the code that is being written."""

    node: Node
    index: str
    length: str
    whole: str | None = None
    """Variable of python-liquid's own `forloop`, where more of it is asked for than its plain fields."""
    counted: bool = False
    """Whether the number of the element is asked for."""
    interrupted: bool = False
    """Whether something within it leaves it by python-liquid's exceptions."""


Binding = str | Loop | ast.Constant
"""What a name stands for: a variable, the loop that `forloop` tells of, or a constant."""


class Catalogue(Protocol):
    """What one unit, while it is written, asks of the catalogue that it belongs to; see `units`."""

    environment: LiquidEnvironment
    counted: frozenset[str]
    """Names that some template counts with `increment` or `decrement`."""
    continues: bool
    """Whether any loop asks where the one before it stopped."""

    def tag(self, kind: type[Node]) -> Callable[[Any, Any], None]:
        """Return what writes the nodes of one kind, handed the writer and the node."""
        ...

    def name_of(self, tree: BoundTemplate) -> str:
        """Return the full name of a template."""
        ...

    def undefined(self, name: str) -> Undefined:
        """Return what stands for a name that is missing."""
        ...

    def assigned(self, tree: BoundTemplate) -> frozenset[str]:
        """Return the names that a template sets for what follows it."""
        ...

    def unit(self, key: UnitKey) -> Unit | None:
        """Return a compiled unit; None where it must be left to python-liquid."""
        ...
