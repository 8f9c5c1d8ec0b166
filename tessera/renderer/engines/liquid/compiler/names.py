"""What the names of a template stand for, and the variables of Python's that hold their values."""

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from liquid import BoundTemplate

from tessera.renderer.engines.liquid.compiler.shapes import (
    Binding,
    Catalogue,
    NeedsLoops,
    Parameter,
    Uncompiled,
    UnitKey,
)
from tessera.renderer.engines.liquid.compiler.syntax import assign, const, is_type, load


class Names:
    """The names of one unit while it is being written. Variables have generated names only."""

    def __init__(self, units: Catalogue, key: UnitKey, tree: BoundTemplate, shares: bool) -> None:
        """`shares`: python-liquid renders parts of it, whose tags may set names."""
        self.units = units
        self.key = key
        self.tree = tree
        self.shares = shares
        self.assigned = units.assigned(tree)
        self.constants: dict[str, object] = {}
        self.parameters: dict[Parameter, str] = {}
        self.scopes: list[dict[str, Binding]] = [{"partial": const(key.role != "main")}]
        self.steady: set[str] = set()
        """Variables that get a value once."""
        self._constants: dict[int, str] = {}
        self._objects: dict[str, str] = {}
        self._numbers = 0

    def variable(self) -> str:
        """Return a new variable."""
        self._numbers += 1
        return f"v{self._numbers}"

    def constant(self, value: object) -> ast.expr:
        """Return an expression for a value that the code has no literal for."""
        name = self._constants.setdefault(id(value), f"k{len(self.constants)}")
        self.constants[name] = value
        return load(name)

    def parameter(self, parameter: Parameter) -> str:
        """Return the variable of a name that comes from outside."""
        if parameter not in self.parameters:
            self.parameters[parameter] = variable = self.variable()
            if parameter.kind == "seen" and not self.shares:
                self.steady.add(variable)
        return self.parameters[parameter]

    def object_test(self, variable: str) -> ast.expr | None:
        """Return an expression for whether a variable holds a `dict`, asked once, where it gets its one value.

        None for variables that may get others.
        """
        if variable not in self.steady:
            return None
        return load(self._objects.setdefault(variable, f"{variable}d"))

    def objects_asked(self, variables: Iterable[str]) -> list[ast.stmt]:
        """Return what asks of some variables, which have just got their values, whether they hold a `dict`."""
        return [
            assign(self._objects[variable], is_type(load(variable), "dict"))
            for variable in variables
            if variable in self._objects
        ]

    def own(self, name: str) -> str:
        """Return the variable of a name as the tags of the template set it."""
        return self.parameter(Parameter("set" if name in self.assigned else "seen", name))

    def input(self, name: str) -> str:
        """Return the variable of a name among the inputs."""
        if self.key.role == "main" and name not in self.assigned:
            return self.own(name)
        return self.parameter(Parameter("input", name))

    def look_up(self, name: str) -> Binding:
        """Return what a name stands for here."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in self.units.counted:
            raise Uncompiled  # It may be a counter of `increment`, which only python-liquid's context knows.
        return self.parameter(Parameter("seen", name)) if name in self.key.hidden else self.own(name)

    def undefined(self, name: str) -> ast.expr:
        """Return an expression for what a missing name stands for."""
        return self.constant(self.units.undefined(name))

    @contextmanager
    def scope(self, names: dict[str, Binding]) -> Iterator[None]:
        """Put names before all others for a while."""
        self.scopes.append(names)
        try:
            yield
        finally:
            self.scopes.pop()

    def value_of(self, bound: Binding) -> ast.expr:
        """Return an expression for what a name stands for."""
        if isinstance(bound, str):
            return load(bound)
        if isinstance(bound, ast.Constant):
            return bound
        if bound.whole is None:
            raise NeedsLoops
        return load(bound.whole)
