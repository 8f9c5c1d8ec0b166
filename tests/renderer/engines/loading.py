"""Catalogues from texts."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tessera.renderer.engines.base import Limits, Template
from tessera.renderer.engines.catalog import LoadedCatalog, load_catalog
from tessera.rules.diagnostics import render_text

IN_MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: a run makes thousands of catalogues, and removing one from disk is slow."""


def load(texts: Mapping[str, str | bytes], limits: Limits | None = None) -> LoadedCatalog:
    """Return the catalogue of some files, by their path below the folder `templates`."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as root:
        folder = Path(root, "templates")
        folder.mkdir()
        for name, text in texts.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_catalog(folder, limits or Limits())


def template(text: str, suffix: str = "liquid", limits: Limits | None = None, **partials: str) -> Template:
    """Return one template, without complaints, with its partials by name without suffix."""
    texts = {f"{name}.{suffix}": partial for name, partial in partials.items()}
    loaded = load({f"main.{suffix}": text, **texts}, limits)
    assert complaints(loaded) == ""
    return loaded.catalog.templates[f"main.{suffix}"]


def liquid(text: str, **inputs: object) -> str:
    """Return what a Liquid template writes."""
    return template(text).render(inputs)


def jinja(text: str, **inputs: object) -> str:
    """Return what a Jinja template writes."""
    return template(text, "jinja").render(inputs)


def complaints(loaded: LoadedCatalog) -> str:
    """Return the complaints as people see them."""
    return render_text(loaded.diagnostics, loaded.sources)


def demanded(template: Template) -> set[str]:
    """Return the demands, written with dots."""
    return {".".join(path) for path in template.demands}
