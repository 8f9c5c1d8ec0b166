"""How much memory a value takes, roughly: enough to bound what is remembered."""

from collections.abc import Callable, Iterable, Mapping
from sys import getsizeof
from types import MappingProxyType

_PARTS: Mapping[type, Callable[..., Iterable[object]]] = {
    dict: dict.values,
    MappingProxyType: MappingProxyType.values,
    **dict.fromkeys((list, tuple, set, frozenset), iter),
}
_ATOMS = frozenset((str, int, float, bool, type(None), bytes))


def approximate_bytes(value: object) -> int:
    """Return the bytes of a value of plain types, containers and slotted objects.

    Names, as keys of objects are, are shared by all that have them and count for nothing, and so does what is not
    reached by way of such parts.
    """
    size, left = 0, [value]
    while left:
        part = left.pop()
        size += getsizeof(part)
        kind = type(part)
        if kind in _ATOMS:
            continue
        if kind in _PARTS:
            left += _PARTS[kind](part)
        elif isinstance(part, tuple):
            left += part
        else:
            left += [getattr(part, slot, None) for slot in getattr(kind, "__slots__", ())]
    return size
