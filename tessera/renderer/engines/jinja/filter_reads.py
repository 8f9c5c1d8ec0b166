"""What each of Jinja's filters looks at."""

from tessera.renderer.engines.demands import Value
from tessera.renderer.engines.filter_reads import FilterUse, Reads


def _mapped(use: FilterUse) -> Value:
    """`map` takes a member by name, or applies a filter to each element."""
    return use.members("attribute", 0) if "attribute" in use.named and not use.positional else use.whole()


JINJA_READS: Reads = {
    "batch": lambda use: use.pieces("fill_with", 1),
    "count": FilterUse.size,
    "d": lambda use: use.default("default_value", 0),
    "default": lambda use: use.default("default_value", 0),
    "first": FilterUse.entry,
    "groupby": lambda use: use.grouped("attribute", 0),
    "join": lambda use: use.computed("attribute", 1),
    "last": FilterUse.entry,
    "length": FilterUse.size,
    "list": FilterUse.same,
    "map": _mapped,
    "max": lambda use: use.one("attribute", 1),
    "min": lambda use: use.one("attribute", 1),
    "reject": FilterUse.chosen,
    "rejectattr": lambda use: use.ordered("", 0),
    "reverse": FilterUse.same,
    "select": FilterUse.chosen,
    "selectattr": lambda use: use.ordered("", 0),
    "slice": lambda use: use.pieces("fill_with", 1),
    "sort": lambda use: use.ordered("attribute", 2),
    "sum": lambda use: use.computed("attribute", 0),
    "unique": lambda use: use.ordered("attribute", 1),
}


def jinja_paths(text: str) -> list[list[str]]:
    """Read the name of a member: paths of names with dots between, and several of them with commas between."""
    return [path.split(".") for path in text.split(",")]
