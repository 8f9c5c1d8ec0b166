"""The docs are a tested contract: what the product has, they document."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from tessera.adapters.downstream import DOWNSTREAM
from tessera.adapters.registry import ADAPTERS, Port, adapter_of
from tessera.cli.main import MODULES
from tessera.renderer import composing, crosscheck, edge, element, includer, streaming, trial
from tessera.renderer.core import tags
from tessera.renderer.core.context import PLACE_HEADERS, request_facts
from tessera.renderer.core.device import Device
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.settings import SECRETS, Settings
from tessera.renderer.settings_upstreams import ListSource, ProfileSource
from tessera.rules import facts

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
ON_ADAPTERS = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
HTTP = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
TEMPLATES = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]


def settings() -> Iterator[tuple[str, str, object]]:
    for table, field in Settings.model_fields.items():
        if table not in SECRETS:
            model = field.annotation
            if get_origin(model) is tuple:  # tables of which there may be many
                model = get_args(model)[0]
            assert isinstance(model, type)
            assert issubclass(model, BaseModel)
            for name, setting in model.model_fields.items():
                yield table, name, setting.description

    for name in ("name", "party", "gives"):
        yield "profiles.sources", name, ProfileSource.model_fields[name].description


@pytest.mark.parametrize(("table", "name", "meaning"), list(settings()))
def test_every_setting_is_documented_as_it_is(table: str, name: str, meaning: str) -> None:
    section = re.split(rf"### `\[+{table}\]+`\n", OPERATING)[1].split("###")[0]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{name}` |")]
    assert row.endswith(f"| {meaning} |")


@pytest.mark.parametrize("name", ["name", "deadline_ms", "adapter"])
def test_what_each_of_several_recommenders_has_is_documented(name: str) -> None:
    section = OPERATING.split("### `[[lists.sources]]`\n")[1].split("###")[0]
    assert f"| {ListSource.model_fields[name].description} |" in section


def options() -> Iterator[tuple[Port, str, str, str | None]]:
    for port, adapters in ADAPTERS.items():
        for adapter in adapters:
            for name, option in adapter_of(port, adapter).Options.model_fields.items():
                yield port, adapter, name, option.description


@pytest.mark.parametrize(("port", "adapter", "name", "meaning"), list(options()))
def test_every_setting_of_an_adapter_is_documented_as_it_is(port: Port, adapter: str, name: str, meaning: str) -> None:
    section = ON_ADAPTERS.split(f"\n## `{adapter}` for {port}\n")[1].split("\n## ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{name}` |")]
    assert row.endswith(f"| {meaning} |")


@pytest.mark.parametrize("port", ADAPTERS)
def test_every_adapter_is_listed(port: Port) -> None:
    (row,) = [line for line in ON_ADAPTERS.splitlines() if line.endswith(f"| `[{port}]` |")]
    assert [name for name in ADAPTERS[port] if f"`{name}`" not in row] == []


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_is_documented(name: str) -> None:
    assert f"| `TESSERA_{name.upper()}` | {Settings.model_fields[name].description} |" in OPERATING


@pytest.mark.parametrize("name", MODULES)
def test_every_command_is_documented(name: str) -> None:
    assert f"| `tessera {name}" in OPERATING


READ = ("user-agent", "sec-ch-ua-mobile", "sec-ch-ua-platform", "x-tessera-cart", "sec-gpc", "if-none-match")


@pytest.mark.parametrize("header", [*(name.decode() for name in PLACE_HEADERS.values()), *READ])
def test_every_header_that_is_read_is_documented(header: str) -> None:
    assert f"`{header}" in HTTP.lower()


@pytest.mark.parametrize("code", trial.CODES)
def test_every_code_of_a_trial_is_documented(code: str) -> None:
    assert f"| `{code}` | {trial.CODES[code]} |" in TEMPLATES


@pytest.mark.parametrize("code", crosscheck.CODES)
def test_every_code_of_a_complaint_about_a_site_is_documented(code: str) -> None:
    assert f"| `{code}` | {crosscheck.CODES[code]} |" in TEMPLATES


def test_the_request_facts_of_the_language_are_those_that_the_server_offers() -> None:
    assert set(facts.REQUEST_FACTS) == {*request_facts(Visitor(), Device(), "en", {}), "page.name"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_holds(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs_end_their_code_blocks(page: Path) -> None:
    assert page.read_text(encoding="utf-8").count("```") % 2 == 0


@pytest.mark.parametrize("header", sorted({name.decode() for name, _ in edge.LABELS.values()} | {"cache-groups"}))
def test_every_header_with_labels_is_documented(header: str) -> None:
    assert f"`{header}`" in HTTP.lower()


@pytest.mark.parametrize("kind", tags.KINDS)
def test_every_kind_of_tag_is_documented(kind: str) -> None:
    assert f"`{kind}:" in OPERATING.split("## Purging")[1].split("\n## ")[0]


@pytest.mark.parametrize("kind", DOWNSTREAM)
def test_every_cache_downstream_is_documented(kind: str) -> None:
    assert f"| `{kind}` |" in OPERATING.split("### Caches downstream")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", [includer.ON_ERROR, includer.TURBO_FRAME, element.PATH, "/podium/{page}/{slot}"])
def test_what_includers_ask_for_is_documented(name: str) -> None:
    assert f"`{name}" in HTTP or f"GET {name}" in HTTP


def test_the_script_of_streamed_pages_is_documented_by_its_hash() -> None:
    assert f"script-src 'self' {streaming.FILL_IN_HASH}\n" in HTTP
    assert 300 < len(streaming.SCRIPT) < 450


@pytest.mark.parametrize("composer", get_args(composing.Composer))
def test_every_composer_is_documented(composer: str) -> None:
    assert f"\n| `{composer}`" in HTTP


def test_the_contract_in_the_docs_is_passed_as_it_stands(tmp_path: Path) -> None:
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", ON_ADAPTERS, re.DOTALL) if "Contract" in block]
    (tmp_path / "test_acme.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert re.search(r"^\d\d passed in", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "tessera" / "contracts").glob("*.py")))
def test_every_contract_is_documented(module: str) -> None:
    found = vars(import_module(f"tessera.contracts.{module}")) if module != "__init__" else {}
    for name, contract in found.items():
        if name.endswith("Contract") and name != "Contract" and contract.__module__.endswith(f".{module}"):
            assert f"`{name}`" in ON_ADAPTERS
