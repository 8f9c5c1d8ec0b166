"""What soundness of demands means: inputs that note what is read of them, and inputs cut down to what is demanded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, SupportsIndex

from tessera.renderer.core.paths import EACH, SIZE, Path

Note = Callable[[Path], None]

LENGTH = "length of a list"
"""Ends a noted path where the length of a list was read: unlike an object's, every demand beneath it keeps that."""


def watched(value: object, note: Note, path: Path = ()) -> Any:
    """Return a value that behaves like the given one and notes every path that is read of it."""
    if isinstance(value, dict):
        return WatchedDict(value, note, path)
    if isinstance(value, list):
        return WatchedList(value, note, path)
    return value


class WatchedDict(dict[str, Any]):
    """A dict that notes reads. Getting a container is no read: only what is got out of that is."""

    def __init__(self, values: Mapping[str, object], note: Note, path: Path) -> None:
        super().__init__({key: watched(value, note, (*path, key)) for key, value in values.items()})
        self._note, self._path = note, path

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if not isinstance(value, dict | list):
            self._note((*self._path, key))
        return value

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __len__(self) -> int:
        self._note((*self._path, SIZE))
        return super().__len__()

    def _whole(self) -> None:
        self._note(self._path)

    def _handed_out(self) -> None:
        self._note((*self._path, EACH))

    def __iter__(self) -> Iterator[str]:
        self._handed_out()
        return super().__iter__()

    def __eq__(self, other: object) -> bool:
        self._whole()
        return super().__eq__(other)

    def __repr__(self) -> str:
        self._whole()
        return super().__repr__()

    def items(self) -> Any:
        self._handed_out()
        return super().items()

    def values(self) -> Any:
        self._handed_out()
        return super().values()

    def keys(self) -> Any:
        self._handed_out()
        return super().keys()

    __hash__ = None


class WatchedList(list[Any]):
    """A list that notes reads."""

    def __init__(self, values: Iterable[object], note: Note, path: Path) -> None:
        each = path if path[-1:] == (EACH,) else (*path, EACH)
        super().__init__(watched(value, note, each) for value in values)
        # The length of a list within a list is that of the outer one, as far as demands go.
        self._size = (*(path[:-1] if path[-1:] == (EACH,) else path), LENGTH)
        self._note, self._path, self._each = note, path, each

    def _seen(self, value: Any) -> Any:
        if not isinstance(value, dict | list):
            self._note(self._each)
        return value

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        value = super().__getitem__(key)
        return value if isinstance(key, slice) else self._seen(value)

    def __iter__(self) -> Iterator[Any]:
        self._note(self._size)
        return (self._seen(value) for value in super().__iter__())

    def __reversed__(self) -> Iterator[Any]:
        self._note(self._size)
        return (self._seen(value) for value in super().__reversed__())

    def __len__(self) -> int:
        self._note(self._size)
        return super().__len__()

    def __contains__(self, item: object) -> bool:
        self._note(self._path)
        return super().__contains__(item)

    def __eq__(self, other: object) -> bool:
        self._note(self._path)
        return super().__eq__(other)

    def __repr__(self) -> str:
        self._note(self._path)
        return super().__repr__()

    __hash__ = None


def covered(read: Path, demands: Iterable[Path]) -> bool:
    """Whether something that was read is demanded, according to what `engines.demands` says that paths mean."""
    return any(_covers(demand, read) for demand in demands)


def _covers(demand: Path, read: Path) -> bool:
    # Where the read ends first, a plain value was read where the demand expected something with members.
    if not demand or not read or read[0] == LENGTH:
        return True
    if demand[0] == read[0]:
        return _covers(demand[1:], read[1:])
    if demand[0] == EACH:
        return True  # An object that is demanded whole where an element was expected.
    # A list where an object was expected, or a plain element that was handed out while only the length was of interest
    # (what is made of it shows in what a template writes).
    return read[0] == EACH and (demand[0] == SIZE or _covers(demand, read[1:]))


def projected(value: object, demands: Iterable[Path]) -> Any:
    """Return what is left of a value when only what is demanded is kept, as `engines.demands` defines it."""
    paths = set(demands)
    if () in paths or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        into = {path[1:] if path[0] == EACH else path for path in paths if path != (SIZE,)}
        kept = []
        for element in value:
            if isinstance(element, list):
                kept.append(projected(element, paths))
            elif into:
                kept.append(projected(element, into))
            else:
                kept.append(None)
        return kept
    if any(path[0] == EACH for path in paths):
        return value
    members = {
        name: projected(inner, tails)
        for name, inner in value.items()
        if (tails := {path[1:] for path in paths if path[0] == name})
    }
    if (SIZE,) in paths:
        members |= {f"\0{number}": None for number in range(len(value) - len(members))}
    return members


def project_inputs(inputs: Mapping[str, object], demands: Iterable[Path]) -> dict[str, Any]:
    """Return inputs cut down to what is demanded."""
    left = projected(dict(inputs), demands)
    assert isinstance(left, dict)
    return left
