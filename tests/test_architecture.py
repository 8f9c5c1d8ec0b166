"""The house holds: imports go downwards only, and the core has no clock, no randomness and no I/O."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tessera

PACKAGE = Path(tessera.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    ("tessera.__main__",),
    ("tessera.cli",),
    ("tessera.workers",),
    ("tessera.connections",),
    ("tessera.app", "tessera.draining", "tessera.joining"),
    ("tessera.openapi", "tessera.tracing"),
    ("tessera.demo", "tessera.publishing", "tessera.contracts"),
    ("tessera.renderer",),
    ("tessera.renderer.engines", "tessera.renderer.cache", "tessera.adapters"),
    ("tessera.renderer.core",),
    ("tessera.rules",),
)
"""From top to bottom. A package belongs to the longest name that it starts with; those on a row are strangers."""

PURE = ("tessera.rules", "tessera.renderer.core")
LOADER = "tessera.rules.load"

IMPURE_MODULES = {
    "asyncio", "httpx", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "tempfile",
    "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "open", "print", "input", "monotonic", "perf_counter", "token_urlsafe"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, ast.parse(file.read_text(encoding="utf-8"))


MODULES = dict(modules())


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room(module: str) -> tuple[int, str] | None:
    """The row and the package of the house that a module belongs to."""
    found = [
        (len(package), row, package)
        for row, packages in enumerate(LAYERS)
        for package in packages
        if module == package or module.startswith(package + ".")
    ]
    return max(found)[1:] if found else None


def is_pure(module: str) -> bool:
    return module.startswith(PURE) and module != LOADER


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards_only(module: str) -> None:
    here = room(module)
    upwards = [
        imported
        for imported in imports(MODULES[module])
        if here and (there := room(imported)) and (there[0] < here[0] or (there[0] == here[0] and there[1] != here[1]))
    ]
    assert upwards == []


@pytest.mark.parametrize("module", [name for name in MODULES if is_pure(name)])
def test_the_core_is_pure(module: str) -> None:
    tree = MODULES[module]
    asynchronous = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and node.body]
    called = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for name in [node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")]
        if name in IMPURE_CALLS
    ]
    assert set(imports(tree)) & IMPURE_MODULES == set()
    assert called == []
    if module != "tessera.renderer.core.ports":  # protocols promise what edges do
        assert asynchronous == []


@pytest.mark.parametrize("module", [name for name in MODULES if (PACKAGE / "/".join(name.split(".")[1:])).is_dir()])
def test_a_package_is_one_docstring(module: str) -> None:
    body = MODULES[module].body
    assert len(body) == 1
    assert ast.get_docstring(MODULES[module])


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(MODULES[module])


GUARDS = {"tessera.renderer.pipeline": 1, "tessera.renderer.front": 1}
"""The guard of a slot, and that of the short way to it, which leaves what fails to the other."""


@pytest.mark.parametrize("module", MODULES)
def test_nobody_but_the_guards_of_a_slot_catches_everything(module: str) -> None:
    broad = [
        node.lineno
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert len(broad) == GUARDS.get(module, 0)
