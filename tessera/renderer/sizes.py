"""How much memory a value takes, roughly: enough to bound what is remembered."""

from sys import getsizeof
from types import MappingProxyType


def approximate_bytes(value: object) -> int:
    """Return the bytes of a value of plain types, containers and slotted objects.

    Names, as keys of objects are, are shared by all that have them and count for nothing, and so does what is not
    reached by way of such parts.
    """
    size = getsizeof(value)
    if isinstance(value, dict | MappingProxyType):
        return size + sum(map(approximate_bytes, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return size + sum(map(approximate_bytes, value))
    for slot in getattr(type(value), "__slots__", ()):
        size += approximate_bytes(getattr(value, slot, None))
    return size
