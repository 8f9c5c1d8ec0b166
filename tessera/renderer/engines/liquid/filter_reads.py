"""What each of Liquid's filters looks at."""

from tessera.renderer.engines.filter_reads import FilterUse, Reads

LIQUID_READS: Reads = {
    "compact": lambda use: use.ordered("key", 0),
    "concat": FilterUse.concat,
    "default": lambda use: use.default("default", 0),
    "find": lambda use: use.one("key", 0),
    "find_index": lambda use: use.computed("key", 0),
    "first": FilterUse.entry,
    "has": lambda use: use.any_with("key", 0),
    "last": FilterUse.entry,
    "map": lambda use: use.members("key", 0),
    "reject": lambda use: use.ordered("key", 0),
    "reverse": FilterUse.same,
    "size": FilterUse.size,
    "slice": FilterUse.part,
    "sort": lambda use: use.ordered("key", 0),
    "sort_natural": lambda use: use.ordered("key", 0),
    "sum": lambda use: use.computed("key", 0),
    "uniq": lambda use: use.ordered("key", 0),
    "where": lambda use: use.ordered("key", 0),
}


def liquid_paths(text: str) -> tuple[tuple[str], ...]:
    """Read the name of a member: it is one name, dots and all."""
    return ((text,),)
