"""Carts from the embedded store, priced by its catalogue."""

from tessera.adapters.sqlite import Store
from tessera.renderer.core.ports import Cart, CartLine


class SqliteCarts:
    """Implements `Carts`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def cart(self, visitor_id: str) -> Cart | None:
        """Return the visitor's cart; lines whose item is no longer sold are left out."""
        rows = await self._store.read(
            "cart",
            """SELECT items.sku, line.value ->> 'quantity',
                 fields -> 'price' ->> 'amount', fields -> 'price' ->> 'currency'
               FROM carts, json_each(carts.lines) AS line JOIN items ON items.sku = line.value ->> 'sku'
               WHERE visitor_id = ? ORDER BY line.key""",
            (visitor_id,),
        )
        if not rows:
            return None
        lines = tuple(CartLine(sku, int(quantity)) for sku, quantity, _, _ in rows)
        value = sum(int(quantity) * int(price) for _, quantity, price, _ in rows)
        return Cart(lines, value, rows[0][3])
