"""No adapter of the registry goes without its port's contract."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tessera.adapters.flags_none import NoFlags
from tessera.adapters.registry import ADAPTERS, Port, adapter_of
from tessera.contracts.catalogue import CatalogueContract
from tessera.contracts.flags import FlagsContract
from tessera.contracts.lists import ListsContract
from tessera.contracts.profiles import ProfilesContract

CONTRACTS: dict[Port, type[Any]] = {
    "profiles": ProfilesContract,
    "lists": ListsContract,
    "catalogue": CatalogueContract,
    "flags": FlagsContract,
}


def classes() -> Iterator[type[Any]]:
    """Yield the classes of tests in this folder that pytest collects."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        found = vars(import_module(f"tests.contracts.{file.stem}"))
        yield from (each for name, each in found.items() if name.startswith("Test") and isinstance(each, type))


def test_every_adapter_keeps_the_contract_of_its_port() -> None:
    assert set(CONTRACTS) == set(ADAPTERS)
    kept = {(each.adapter, port) for each in classes() for port, of in CONTRACTS.items() if issubclass(each, of)}
    ours = {(adapter_of(port, name), port) for port, names in ADAPTERS.items() for name in names}
    assert ours - kept == {(NoFlags, "flags")}  # which asks nobody, so that nothing can fail
