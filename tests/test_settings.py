"""Settings: read from the site and the environment, and refused all at once, by name."""

from pathlib import Path
from textwrap import dedent

import pytest

from tessera.renderer.settings import SettingsError, load_settings

SECRET = "a secret for tests only"


@pytest.fixture(autouse=True)
def _with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SECRET", SECRET)


def write(folder: Path, text: str) -> Path:
    (folder / "tessera.toml").write_text(dedent(text), encoding="utf-8")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(folder)
    return list(refused.value.problems)


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path).server.port == 8000


def test_the_environment_outranks_the_file_setting_by_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SERVER__PORT", "9000")
    settings = load_settings(write(tmp_path, '[server]\nport = 8080\nhost = "::1"'))
    assert (settings.server.port, settings.server.host) == (9000, "::1")


def test_the_command_line_outranks_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SERVER__PORT", "9000")
    assert load_settings(tmp_path, server={"port": 7000}).server.port == 7000


def test_every_problem_is_reported_at_once_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_CACHE__MAX_BYTES", "lots")
    write(
        tmp_path,
        """
        edge_secret = "in the wrong place"
        [server]
        port = 99999
        prot = 1
        [profiles]
        adapter = "http"
        """,
    )
    assert problems(tmp_path) == [
        "tessera.toml: `edge_secret` is a secret: set `TESSERA_EDGE_SECRET` in the environment instead",
        "`server.port`: input should be less than or equal to 65535, not `99999`",
        "`server.prot`: there is no such setting",
        "`cache.max_bytes`: input should be a valid integer, unable to parse string as an integer, not `lots`",
        "`profiles`: the `http` adapter needs a `url`",
    ]


def test_production_needs_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSERA_SECRET")
    assert problems(tmp_path) == ["`TESSERA_SECRET` must be set in production: visitor ids are signed with it"]
    assert load_settings(tmp_path, server={"mode": "development"}).secret is None


def test_a_secret_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in repr(load_settings(tmp_path))
    monkeypatch.setenv("TESSERA_SECRET", "sh0rt")
    assert problems(tmp_path) == ["`TESSERA_SECRET` must have at least 16 characters"]


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    assert problems(write(tmp_path, "[server\n")) == [
        "tessera.toml: expected ']' at the end of a table declaration (at line 1, column 8)"
    ]


def test_an_adapter_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    write(tmp_path, '[profiles]\nadapter = "carrier-pigeon"\n[lists]\nadapter = "http"\nurl = "ftp://x"\nitmes = ""')
    assert problems(tmp_path) == [
        "`profiles`: there is no adapter `carrier-pigeon` for it; there are `sqlite`, `http`",
        "`lists`: the `http` adapter does not take `url`: string should match pattern '^https?://'; "
        "the `http` adapter has no setting `itmes`",
    ]


def test_a_table_of_an_adapter_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[lists]\nadapter = "http"\nurl = "https://recommender.example/"')
    monkeypatch.setenv("TESSERA_LISTS__FIELDS", '{"title": "name"}')
    assert load_settings(tmp_path).lists.options.model_dump()["fields"] == {"title": "name"}
    monkeypatch.setenv("TESSERA_LISTS__FIELDS", "{")
    assert problems(tmp_path)[0].startswith("`lists`: the `http` adapter ")


def test_production_needs_the_secrets_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[lists]\nadapter = "http"\nurl = "https://recommender.example/"\ntoken_variable = "A_TOKEN"')
    assert problems(tmp_path) == ["`lists`: `A_TOKEN` must be set in the environment"]
    monkeypatch.setenv("A_TOKEN", "s3cret")
    assert load_settings(tmp_path).lists.adapter == "http"


def test_a_second_call_is_only_made_where_the_adapter_may_ask_twice(tmp_path: Path) -> None:
    write(tmp_path, "[profiles]\nhedge_ms = 50\n")
    assert problems(tmp_path) == [
        "`profiles`: `hedge_ms`: the `sqlite` adapter must not ask the same twice; leave it out"
    ]
    write(tmp_path, '[profiles]\nadapter = "http"\nurl = "https://cdp.example/{visitor_id}"\nhedge_ms = 50\n')
    assert load_settings(tmp_path).profiles.manner.hedge_ms == 50
