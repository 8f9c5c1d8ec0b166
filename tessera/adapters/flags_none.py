"""No flag service: every flag is unknown."""

from collections.abc import Mapping

from tessera.adapters.base import Nothing, Reach
from tessera.renderer.core.ports import FlagQuery


class NoFlags:
    """Implements `Flags`."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        pass

    async def flags(self, query: FlagQuery) -> Mapping[str, object]:
        """Know no flag."""
        return {}
