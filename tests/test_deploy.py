"""The files in `deploy/` that start Tessera: each setting and option in them is one that there is."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tessera.cli.serve import serve
from tessera.renderer.settings import SECRETS, Settings, load_settings
from tests.support.programs import needs

DEPLOY = Path(__file__).parents[1] / "deploy"
SERVICE = (DEPLOY / "tessera.service").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
GIVEN = {"TESSERA_SECRET": "at least 16 characters", "TESSERA_EDGE_SECRET": "shared with the proxy"}


def used(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Settings:
    """The settings that Tessera would take from an environment; a name that is none fails."""
    for name, value in {**environment, **GIVEN}.items():
        place = name.removeprefix("TESSERA_").lower().split("__")
        assert place[0] in SECRETS or place[1] in Settings.model_fields[place[0]].annotation.model_fields  # type: ignore[union-attr]
        monkeypatch.setenv(name, value)
    return load_settings(folder)


def test_compose_starts_a_server_that_its_neighbours_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tessera = COMPOSE["services"]["tessera"]
    settings = used(tessera["environment"], monkeypatch, tmp_path)
    assert settings.server.mode == "production"
    assert tessera["ports"] == [f"127.0.0.1:8000:{settings.server.port}"]
    assert tessera["expose"] == [str(settings.admin.port)]
    assert f"state:{settings.server.state_dir}" in tessera["volumes"]
    assert (settings.redis.url or "").split("/")[2].split(":")[0] in COMPOSE["services"]
    assert (DEPLOY / tessera["build"]["context"] / tessera["build"]["dockerfile"]).is_file()
    for name in GIVEN:
        assert tessera["environment"][name].startswith(f"${{{name}:?")


def test_the_image_has_all_that_is_copied_into_it() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE):
        for name in line.split():
            assert (DEPLOY.parent / name).exists()
    assert '["serve", "--site", "/site"]' in dockerfile
    assert "./site:/site:ro" in COMPOSE["services"]["tessera"]["volumes"]


def test_the_service_starts_tessera_with_options_and_settings_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = re.findall(r"^ExecStart=\S+/tessera serve (.*)$", SERVICE, re.MULTILINE)
    with serve.make_context("serve", command.replace("/srv/shop", str(tmp_path)).split()) as context:
        assert context.params["workers"] == 2
        assert context.params["state_dir"] == Path("/var/lib/tessera")
    (told,) = re.findall(r"^Environment=(.*)$", SERVICE, re.MULTILINE)
    assert used(dict(each.split("=") for each in told.split()), monkeypatch, tmp_path).admin.port == 9100


def test_systemd_finds_no_fault_with_the_service(tmp_path: Path) -> None:
    program = needs("systemd-analyze", "systemd")
    unit = tmp_path / "tessera.service"
    unit.write_text(SERVICE.replace("/usr/local/bin/tessera", "/bin/true"))
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=120)
    assert [line for line in done.stderr.splitlines() if "tessera.service" in line] == []
