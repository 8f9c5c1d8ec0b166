"""The cases of golden-liquid, where the environment variable TESSERA_SUITES names a folder that holds them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MISSING = "TESSERA_SUITES names no folder with golden_liquid.json"


@dataclass(frozen=True)
class Case:
    """A template with its partials and data, and what Liquid writes; nothing where it must complain."""

    name: str
    template: str
    partials: Mapping[str, str]
    inputs: Mapping[str, Any]
    results: tuple[str, ...]

    @property
    def files(self) -> dict[str, str]:
        """The texts by file name; `main.liquid` is the one to render."""
        return {**{f"{name}.liquid": text for name, text in self.partials.items()}, "main.liquid": self.template}


def golden() -> list[Case]:
    """Return all cases, none where the suite is not at hand."""
    folder = os.environ.get("TESSERA_SUITES")
    if folder is None:
        return []
    return [_case(each) for each in json.loads(Path(folder, "golden_liquid.json").read_text())["tests"]]


def _case(raw: Mapping[str, Any]) -> Case:
    results = raw.get("results") or ([] if raw.get("invalid") else [raw["result"]])
    return Case(raw["name"], raw["template"], raw.get("templates") or {}, raw.get("data") or {}, tuple(results))
