"""Whole items that are sold: what turns a recommender's answer into items that a template can show.

A recommender may know no more than ids, and may not know what is sold out. So more is asked for than a list holds, what
its items lack comes from the catalogue, and what cannot be shown makes room for the next.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from tessera.renderer.core.ports import ListKind, ListQuery, ListStatus, Recommendations, Recommended

CHOSEN: frozenset[ListKind] = frozenset(("personal", "popular", "related"))
"""Kinds of lists whose items somebody chose. The others hold what they are about, sold out or not."""

TOLD = ("score", "reason", "attribution")
"""What a recommender may tell of an item beside its fields: templates see it where a field of that name is declared."""


class Origin(NamedTuple):
    """Where a list of items came from: what it is, who made it where there are several, and its attribution ids.

    ``attribution_s`` is for how many seconds these are good, None where no end is known.
    """

    status: ListStatus
    sources: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    attribution_s: float | None = None

    @classmethod
    def of(cls, answer: Recommendations) -> "Origin":
        """Return that of a recommender's answer."""
        sources = tuple(dict.fromkeys(each.source for each in answer.items if each.source is not None))
        return cls(answer.status, sources, answer.attributions, answer.attribution_s)


@dataclass(frozen=True, slots=True)
class Stock:
    """How lists are made of whole items that are sold.

    An item that lacks one of the ``needed`` fields is looked up in the catalogue; one of which the field ``in_stock``
    is false is not sold. ``spare_share`` is how much more than its count a list of chosen items is asked for (0 or
    more: 0.25 asks for 10 instead of 8). Of what a recommender tells of an item beside its fields, ``told`` is shown.
    """

    needed: tuple[str, ...] = ("title", "price")
    in_stock: str | None = "in_stock"
    spare_share: float = 0.0
    told: tuple[str, ...] = TOLD

    def of(self, declared: Collection[str]) -> "Stock":
        """Return the same for items that have these fields only."""
        needed = tuple(name for name in self.needed if name in declared)
        return replace(self, needed=needed, told=tuple(name for name in self.told if name in declared))

    def asked(self, query: ListQuery) -> ListQuery:
        """Return what to ask a recommender for, so that enough is left."""
        spare = ceil(query.at_most * self.spare_share) if query.kind in CHOSEN else 0
        return query._replace(at_most=query.at_most + spare + len(query.without))

    def bare(self, items: Sequence[Recommended]) -> list[str]:
        """Return the ids of those that are to be looked up."""
        return [item.id for item in items if not self._is_whole(item.fields)]

    def whole(
        self, query: ListQuery, items: Sequence[Recommended], sold: Mapping[str, Mapping[str, object]]
    ) -> list[Mapping[str, object]]:
        """Return the fields of the items that can be shown, at most as many as are wanted.

        Of a field that both have, the catalogue's value counts. What neither has whole is left out.
        """
        found: dict[str, Mapping[str, object]] = {}
        for item in items:
            known = sold.get(item.id)
            if item.id in query.without or (known is None and not self._is_whole(item.fields)):
                continue
            fields = {name: value for name in self.told if (value := getattr(item, name)) is not None}
            fields |= {name: value for name, value in item.fields.items() if value is not None}
            if known is not None:
                fields |= {name: value for name, value in known.items() if value is not None}
            if self._is_sold(query.kind, fields):
                found.setdefault(item.id, fields)
        return list(found.values())[: query.at_most]

    def _is_whole(self, fields: Mapping[str, object]) -> bool:
        return bool(fields) and not [name for name in self.needed if fields.get(name) is None]

    def _is_sold(self, kind: ListKind, fields: Mapping[str, object]) -> bool:
        """Tell whether an item may stand in a list: where it is not said that it is sold out, it is not."""
        return kind not in CHOSEN or self.in_stock is None or fields.get(self.in_stock) not in (False, "false")
