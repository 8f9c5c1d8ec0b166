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
    size, left = getsizeof(value), [value]
    while left:
        part = left.pop()
        kind = type(part)
        if kind in _PARTS:
            parts = _PARTS[kind](part)
        elif isinstance(part, tuple):
            parts = part
        else:
            parts = [getattr(part, slot, None) for slot in getattr(kind, "__slots__", ())]
        for each in parts:
            size += getsizeof(each)
            if type(each) not in _ATOMS:
                left.append(each)
    return size
