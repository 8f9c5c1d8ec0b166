"""A list of items made ready: what it asks a recommender for, here and now."""

from collections.abc import Mapping

from tessera.renderer.core.ports import ListQuery
from tessera.rules.facts import Value
from tessera.rules.ruleset import ItemList


class ListPlan:
    """One list, prepared when the site is loaded. Where nothing about it depends on a request, so is its query.

    ``count`` is how many items it has at most.
    """

    __slots__ = ("_apart", "_asked", "_fixed", "_list", "count", "name")

    def __init__(self, item_list: ItemList, asked: int = 0, *, apart: bool = False) -> None:
        """``asked`` is how many items to ask for where that is more, since some of them may be left out.

        ``apart`` says that other lists of the visitor stand beside it, if it is one.
        """
        self._list = item_list
        self._apart = apart
        self.name = item_list.name
        self.count = item_list.count
        self._asked = max(item_list.count, asked)
        depends = item_list.kind == "personal" or item_list.reads
        self._fixed = None if depends else ListQuery(item_list.kind, self._asked, name=item_list.name)

    def query(self, facts: Mapping[str, Value], visitor_id: str | None) -> ListQuery | None:
        """Return what to ask for; None where what the list is about is not known."""
        if self._fixed is not None:
            return self._fixed
        wanted = self._list
        to, category = _ids(facts, wanted.to), facts.get(wanted.category or "")
        if (wanted.to and not to) or (wanted.category and category is None):
            return None
        if wanted.kind == "personal" and visitor_id is None:
            return None
        return ListQuery(
            wanted.kind,
            self._asked,
            visitor_id if wanted.kind == "personal" else None,
            to,
            None if category is None else str(category),
            _ids(facts, wanted.without),
            wanted.name,
            self._apart and wanted.kind == "personal",
        )


def _ids(facts: Mapping[str, Value], fact: str | None) -> tuple[str, ...]:
    value = facts.get(fact) if fact else None
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    return (str(value),) if value is not None else ()
