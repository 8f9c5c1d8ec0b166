"""The contract of the port `Carts`."""

from typing import ClassVar

from tessera.contracts.contract import VISITOR, Contract
from tessera.renderer.core.ports import Cart, Carts


class CartsContract(Contract[Carts, Cart | None]):
    """``cart`` is what `VISITOR` has; `STRANGER` has none."""

    cart: ClassVar[Cart]

    async def ask(self, adapter: Carts, visitor_id: str) -> Cart | None:
        """Ask for the cart."""
        return await adapter.cart(visitor_id)

    def check(self, answer: Cart | None, visitor_id: str) -> None:
        """No cart is None, not an empty one."""
        assert answer == (self.cart if visitor_id == VISITOR else None)
