"""Settings: read from the site and the environment, and refused all at once, by name."""

import os
from pathlib import Path
from textwrap import dedent

import pytest

from tessera.adapters.registry import ADAPTERS
from tessera.renderer.settings import SettingsError, load_settings

SECRET = "a secret for tests only"


@pytest.fixture(autouse=True)
def _with_nothing_but_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TESSERA_"):
            monkeypatch.delenv(name)
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
    known = ", ".join(f"`{name}`" for name in ADAPTERS["profiles"])
    write(tmp_path, '[profiles]\nadapter = "carrier-pigeon"\n[lists]\nadapter = "http"\nurl = "ftp://x"\nitmes = ""')
    assert problems(tmp_path) == [
        f"`profiles`: there is no adapter `carrier-pigeon` for it; there are {known}",
        "`lists`: the `http` adapter does not take `url`: string should match pattern '^https?://'; "
        "the `http` adapter has no setting `itmes`",
    ]


def test_a_table_of_an_adapter_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[lists]\nadapter = "http"\nurl = "https://recommender.example/"')
    monkeypatch.setenv("TESSERA_LISTS__FIELDS", '{"title": "name"}')
    assert load_settings(tmp_path).lists.options.model_dump()["fields"] == {"title": "name"}
    monkeypatch.setenv("TESSERA_LISTS__FIELDS", "{")
    assert problems(tmp_path)[0].startswith("`lists`: the `http` adapter ")


SOURCES = """
[[profiles.sources]]
name = "own"
adapter = "sqlite"
[[profiles.sources]]
name = "{name}"
adapter = "segment"
space = "s1"
token_variable = "A_TOKEN"
{more}
"""


def test_several_sources_of_profiles_are_each_held_to_their_adapter(tmp_path: Path) -> None:
    write(tmp_path, SOURCES.format(name="cdp", more=""))
    assert problems(tmp_path) == ["`profiles.sources.cdp`: `A_TOKEN` must be set in the environment"]
    write(tmp_path, SOURCES.format(name="cdp", more='spcae = "s1"'))
    assert problems(tmp_path) == ["`profiles.sources.1`: the `segment` adapter has no setting `spcae`"]
    write(tmp_path, SOURCES.format(name="own", more=""))
    assert problems(tmp_path) == ["`profiles`: two sources of the same name"]
    write(tmp_path, '[profiles]\nadapter = "sqlite"\n' + SOURCES.format(name="cdp", more=""))
    assert problems(tmp_path) == ["`profiles`: an `adapter` stands either here or in each of `sources`"]


def test_profiles_tell_of_consent_where_any_source_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    write(tmp_path, SOURCES.format(name="cdp", more=""))
    assert not load_settings(tmp_path).profiles.tell_consent
    write(tmp_path, SOURCES.format(name="cdp", more='consent = "ok"'))
    assert load_settings(tmp_path).profiles.tell_consent


def test_production_needs_the_secrets_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[lists]\nadapter = "http"\nurl = "https://recommender.example/"\ntoken_variable = "A_TOKEN"')
    assert problems(tmp_path) == ["`lists`: `A_TOKEN` must be set in the environment"]
    monkeypatch.setenv("A_TOKEN", "s3cret")
    assert load_settings(tmp_path).lists.adapter == "http"


LIST_SOURCES = """
    [[lists.sources]]
    name = "one"
    adapter = "gorse"
    url = "http://gorse:8088"
    [[lists.sources]]
    name = "two"
    deadline_ms = 60
"""


def test_several_recommenders_have_settings_of_their_own(tmp_path: Path) -> None:
    routes = '[lists.routes]\nfor-you = ["two", "one"]\nmixed = {one = 3, two = 1}\n'
    lists = load_settings(write(tmp_path, dedent(LIST_SOURCES) + routes)).lists
    assert [(each.name, each.adapter, each.deadline_ms) for each in lists.sources] == [
        ("one", "gorse", 70),
        ("two", "sqlite", 60),
    ]
    assert lists.routes == {"for-you": ("two", "one"), "mixed": {"one": 3, "two": 1}}


def test_a_second_call_is_only_made_where_the_adapter_may_ask_twice(tmp_path: Path) -> None:
    write(tmp_path, "[profiles]\nhedge_ms = 50\n")
    assert problems(tmp_path) == [
        "`profiles`: `hedge_ms`: the `sqlite` adapter must not ask the same twice; leave it out"
    ]
    write(tmp_path, '[profiles]\nadapter = "http"\nurl = "https://cdp.example/{visitor_id}"\nhedge_ms = 50\n')
    assert load_settings(tmp_path).profiles.manner.hedge_ms == 50


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('[lists]\nadapter = "sqlite"', "`lists`: an `adapter` stands either here or in each of `sources`"),
        ("[lists]\ndeadline_ms = 100", "`lists`: a list without a route may wait 130 ms for its sources, longer than"),
        ('[lists.routes]\nmine = ["thre"]', "`lists`: the route of `mine` names `thre`, which is none of `sources`"),
        ("[lists.routes]\nmine = 'one'", "`lists.routes`: the route of `mine` is a list of names, or a table"),
        (
            "[lists.routes]\nmine = {one = 0}",
            "`lists.routes`: the route of `mine` is a list of names, or a table of name to weight (above 0)",
        ),
        ('[[lists.sources]]\nname = "two"', "`lists`: two sources of the same name"),
        ('[[lists.sources]]\nname = "x"\nfresh_s = 9', "`lists.sources.0`: `fresh_s` is said of lists as a whole"),
        ('[[lists.sources]]\nname = "x"\nadapter = "gorse"', "`lists.sources.0`: the `gorse` adapter needs a `url`"),
    ],
)
def test_sources_that_do_not_fit_are_refused(tmp_path: Path, more: str, problem: str) -> None:
    (told,) = problems(write(tmp_path, more + "\n" + dedent(LIST_SOURCES)))
    assert told.startswith(problem)


def test_the_secrets_of_every_source_must_be_set(tmp_path: Path) -> None:
    more = '[[lists.sources]]\nname = "three"\nadapter = "recombee"\ndatabase = "x"\ndeadline_ms = 10\n'
    assert problems(write(tmp_path, dedent(LIST_SOURCES) + more)) == [
        "`lists.sources.three`: `RECOMBEE_TOKEN` must be set in the environment"
    ]
