"""What users install is the wheel: it must hold all that the checkout has, and work from any folder."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.support.served import served

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout and unpacked where nothing else of it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", ".tessera", ".hypothesis", "__pycache__", ".*_cache", "tests")
    shutil.copytree(ROOT, source, ignore=ignored)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site-packages"
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_serves_the_demo_from_any_folder(installed: Path, tmp_path: Path) -> None:
    with served(tmp_path / "state", environment={"PYTHONPATH": str(installed)}) as address:
        assert "</html>" in httpx.get(f"{address}/pages/home").text
        assert httpx.get(f"{address}/").status_code == 200
        assert "tessera-fragment" in httpx.get(f"{address}/assets/tessera-fragment.js").text
    assert not list(installed.rglob("*.sqlite*"))


def test_the_wheel_serves_a_site_of_ones_own(installed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "rules").mkdir(parents=True)
    (site / "templates").mkdir()
    (site / "tessera.toml").write_text('[site]\nname = "Mine"\n[server]\nmode = "development"\n')
    (site / "rules" / "home.yaml").write_text("page: home\nslots:\n  hero:\n    default: {template: hero.liquid}\n")
    (site / "templates" / "hero.liquid").write_text("<h1>Mine</h1>")
    with served(tmp_path / "state", "--site", str(site), environment={"PYTHONPATH": str(installed)}) as address:
        assert httpx.get(f"{address}/fragments/home/hero").text == "<h1>Mine</h1>"
