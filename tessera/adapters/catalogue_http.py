"""Catalogue items from a JSON service, by a declared mapping: all that are wanted at once, in one call."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import at, fill_url, get_json, picked
from tessera.adapters.recommending import item_id
from tessera.renderer.core.errors import SourceGarbled


class HttpCatalogueOptions(Options):
    """Where the service is, and where in its JSON things are."""

    url: str = Field(
        pattern="^https?://", description="Address, in which `{ids}` is filled in: the ids of items, comma-separated"
    )
    items: str = Field(
        "items", description="Where the items are in its JSON, dotted: a list, or an object of id to item"
    )
    item_id: str = Field("id", description="Where an item's id is in each member of a list")
    fields: dict[str, str] = Field(
        {}, description="Item field to its place in each item; without this, items have the fields' own names"
    )
    token_variable: str | None = Field(None, description="Environment variable with a bearer token")


class HttpCatalogue:
    """Implements `Catalogue`."""

    Options = HttpCatalogueOptions

    def __init__(self, options: HttpCatalogueOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._token = secret(options.token_variable)

    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """Fetch those of the items that exist; 404 is none. What was not asked for is left out."""
        url = fill_url(self._options.url, {"ids": ",".join(ids)})
        document = await get_json(self._client, "catalogue", url, self._token)
        wanted = frozenset(ids)
        found = self._members(document) if document is not None else ()
        return {sku: self._fields(sku, item) for sku, item in found if sku in wanted and isinstance(item, dict)}

    def _members(self, document: object) -> Iterable[tuple[str | None, object]]:
        members = at(document, self._options.items)
        if isinstance(members, dict):
            return members.items()
        if isinstance(members, list):
            return ((item_id(at(member, self._options.item_id)), member) for member in members)
        raise SourceGarbled("catalogue", f"`{self._options.items}` is neither a list nor an object")

    def _fields(self, sku: str, item: Mapping[str, object]) -> Mapping[str, object]:
        """Return an item's fields; its id is its `sku`, unless that has a place of its own."""
        mapped = picked(item, self._options.fields)
        return {"sku": sku, **(mapped or item)}
