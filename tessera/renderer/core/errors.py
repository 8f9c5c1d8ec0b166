"""What can go wrong outside the core, as types: whose fault it is, is its class."""

from typing import Self


class SourceError(Exception):
    """An upstream did not give what was asked; the slot steps down its ladder.

    ``source`` names the port as operators know it ("profile", "items", "catalogue", "cart", "exposures").
    The message holds no visitor's data. ``counted`` says that the breaker of whoever failed has noted it, ``costly``
    that it is to.
    """

    kind = "error"
    costly = True
    counted = False

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source

    def again(self) -> Self:
        """Return the same failure for one more who waited for it, as each of them counts it for itself."""
        same = type(self).__new__(type(self), *self.args)
        same.__dict__.update(self.__dict__)
        return same


class SourceTimeout(SourceError):
    """The upstream did not answer before its deadline."""

    kind = "timeout"


class SourceUnavailable(SourceError):
    """The upstream could not be reached, or answered that it cannot serve (5xx, 429).

    ``retry_after_s`` is for how many seconds it wants to be left alone, None where it did not say.
    """

    kind = "unavailable"

    def __init__(self, source: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(source, message)
        self.retry_after_s = retry_after_s


class SourceNotAsked(SourceError):
    """The upstream was not asked: it failed too often just now, or is asked as often as it may be."""

    kind = "not asked"
    counted = True


class SourceGarbled(SourceError):
    """The upstream answered, but not in the shape that was declared. It came quickly, so no breaker counts it."""

    kind = "garbled"
    costly = False


class SourceTooLarge(SourceGarbled):
    """The upstream answered with more than is read: by then it cost more than most failures do."""

    costly = True


class Away(Exception):
    """Redis did not answer in time, could not be reached, or refused. The message holds no visitor's data."""


class Unpurged(Exception):
    """A cache downstream did not purge. The message says why, and holds no visitor's data.

    ``retry_after_s`` is when it wants to be asked again, in seconds; None where it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
