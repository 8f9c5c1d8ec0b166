"""Everything that renders the four fragments: Tessera, and what else there is for the same templates.

Each gives, for the name of a fragment, a function from inputs to text. All escape by themselves. `minijinja` is an
extra, `pip install tessera[bench]`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import jinja2
import liquid
from jinja2.sandbox import ImmutableSandboxedEnvironment

from support import floor
from tessera.renderer.engines.base import Limits
from tessera.renderer.engines.catalog import load_catalog

FOLDER = Path(__file__).parent / "fragments"
FRAGMENTS = tuple(floor.FRAGMENTS)

FLOOR = "f-strings, every value escaped"
LIQUID, JINJA = "Tessera, Liquid", "Tessera, Jinja"
PYTHON_LIQUID, JINJA2, SANDBOX = "python-liquid with its limits", "Jinja2", "Jinja2, immutable sandbox"
MINIJINJA = "minijinja"

Render = Callable[[Mapping[str, Any]], str]
Renderer = Callable[[str], Render]


class _LimitedLiquid(liquid.Environment):
    """python-liquid with all the limits that it offers."""

    loop_iteration_limit = 50_000
    local_namespace_limit = 100_000
    output_stream_limit = 500_000


def _python_liquid() -> Renderer:
    loader = liquid.CachingFileSystemLoader(FOLDER, auto_reload=False)
    environment = _LimitedLiquid(autoescape=True, loader=loader)
    return lambda name: partial(_keyword, environment.get_template(f"{name}.liquid").render)


def _jinja(kind: type[jinja2.Environment]) -> Renderer:
    environment = kind(autoescape=True, auto_reload=False, loader=jinja2.FileSystemLoader(FOLDER))
    return lambda name: environment.get_template(f"{name}.jinja").render


def _keyword(render: Callable[..., str], inputs: Mapping[str, Any]) -> str:
    return render(**inputs)


def _minijinja() -> Renderer:
    texts = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.jinja")}
    environment = import_module("minijinja").Environment(templates=texts, auto_escape_callback=lambda _name: "html")
    return lambda name: lambda inputs: str(environment.render_template(f"{name}.jinja", **inputs))


def renderers() -> dict[str, Renderer]:
    """Return what renders, by name."""
    ours = load_catalog(FOLDER, Limits())
    assert ours.diagnostics == (), ours.diagnostics
    templates = ours.catalog.templates
    return {
        FLOOR: floor.FRAGMENTS.__getitem__,
        LIQUID: lambda name: templates[f"{name}.liquid"].render,
        JINJA: lambda name: templates[f"{name}.jinja"].render,
        PYTHON_LIQUID: _python_liquid(),
        JINJA2: _jinja(jinja2.Environment),
        SANDBOX: _jinja(ImmutableSandboxedEnvironment),
        MINIJINJA: _minijinja(),
    }
