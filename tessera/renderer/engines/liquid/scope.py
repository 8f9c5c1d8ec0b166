"""The names that a Liquid template sees, while its demands are worked out."""

from dataclasses import dataclass, field

from liquid.extra.tags.macro_tag import MacroNode

from tessera.renderer.engines.demands import NOTHING, Value, of

Names = dict[str, Value]


@dataclass(slots=True)
class Scope:
    """The names at one point of a template, innermost first: pushed by tags, set by the template, handed to it."""

    pushed: list[Names] = field(default_factory=list)
    locals: Names = field(default_factory=dict)
    handed: tuple[Names, ...] = ()
    macros: dict[str, frozenset[MacroNode]] = field(default_factory=dict)

    def look_up(self, name: str) -> Value:
        """Return what a name stands for. A name that nothing defines is an input."""
        if name == "partial":  # python-liquid defines it for every template: whether it is included.
            return NOTHING
        for names in reversed(self.pushed):
            if name in names:
                return names[name]
        return self.locals[name] if name in self.locals else self.beyond(name)

    def beyond(self, name: str) -> Value:
        """Return what a name stands for that the template does not set."""
        return next((names[name] for names in self.handed if name in names), of((name,)))

    def state(self) -> "State":
        """Return what the tags so far have set."""
        return dict(self.locals), dict(self.macros)

    def become(self, state: "State") -> None:
        """Go on from another state."""
        self.locals, self.macros = dict(state[0]), dict(state[1])

    def merged(self, one: "State", other: "State") -> "State":
        """Return the state after either of two ways."""
        names = {
            name: one[0].get(name, self.beyond(name)) | other[0].get(name, self.beyond(name))
            for name in (*one[0], *other[0])
        }
        none: frozenset[MacroNode] = frozenset()
        return names, {name: one[1].get(name, none) | other[1].get(name, none) for name in (*one[1], *other[1])}


State = tuple[Names, dict[str, frozenset[MacroNode]]]
