"""What template authors ask of the command line: what templates demand, and what is to be translated."""

import json
from pathlib import Path

import pytest

from tests.support.sites import write_site
from tests.test_cli import run

PAGE = """
    page: home
    slots:
      hero:
        default: {template: hero.liquid}
      note:
        default: {template: note.jinja, items: popular}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: hero.liquid}
"""
TEMPLATES = {
    "hero.liquid": "<h1>\n{% render 'name' %}{{ 'Welcome' | t: locale }}</h1>{{ now.hour }}",
    "note.jinja": "{{ items | length }}{{ '%(count)s day' | t(locale, plural='%(count)s days', count=2) }}",
    "partials/name.liquid": "{{ visitor.first_name }}",
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = write_site(tmp_path / "site", {"home.yaml": PAGE}, TEMPLATES)
    (folder / "tessera.toml").write_text('[site]\nlocales = ["en", "de"]\nzone = "Europe/Berlin"\n')
    return folder


def test_check_tells_what_a_template_demands_where_who_shares_it_and_its_key(site: Path) -> None:
    done = run("check", "--site", site, "--demands", "hero.liquid")
    assert (done.exit_code, done.output) == (
        0,
        "hero.liquid\n"
        "  reads locale              templates/hero.liquid:2:38\n"
        "  reads now.hour            templates/hero.liquid:2:55\n"
        "  reads visitor.first_name  templates/partials/name.liquid:1:4\n"
        "  home/hero: private, key: locale, now.hour, visitor.first_name\n"
        "  home/note: private, key: locale, now.hour, visitor.first_name\n",
    )


def test_check_tells_what_all_templates_demand(site: Path) -> None:
    texts = run("check", "--site", site, "--demands").output.split("\n\n")
    assert [text.splitlines()[0] for text in texts] == ["hero.liquid", "note.jinja", "partials/name.liquid"]
    assert texts[1].splitlines()[-1] == "  home/note: context, key: items.size, locale"
    assert texts[2].splitlines()[-1] == "  taken in by hero.liquid"


def test_demands_are_told_to_programs_too(site: Path) -> None:
    (told,) = json.loads(run("check", "--demands", "note.jinja", "--format", "json", "--site", site).output)
    assert told["reads"][0] == {
        "path": "items",
        "file": "templates/note.jinja",
        "line": 1,
        "column": 4,
        "end_column": 9,
    }
    assert told["shown"] == [{"slot": "home/note", "scope": "context", "key": ["items.size", "locale"], "asked": []}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--demands", "heros.liquid"], "there is no template `heros.liquid`; did you mean `hero.liquid`?\n"),
        (["--demands", "--format", "sarif"], "what templates demand is told as text or as json\n"),
    ],
)
def test_what_cannot_be_told_is_said(site: Path, words: list[str], message: str) -> None:
    done = run("check", "--site", site, *words)
    assert (done.exit_code, done.output) == (2, message)


def test_messages_are_written_for_translators_and_translations_kept(site: Path) -> None:
    assert "2 messages are not translated to `de`" in run("check", "--site", site).output
    assert run("messages", "--site", site).output == "locales/de/messages.po: 2 messages, 2 to be translated\n"
    file = site / "locales" / "de" / "messages.po"
    text = file.read_text()
    assert '#: templates/hero.liquid\nmsgid "Welcome"\nmsgstr ""\n' in text
    assert 'msgid "%(count)s day"\nmsgid_plural "%(count)s days"\nmsgstr[0] ""\nmsgstr[1] ""\n' in text
    assert [each.name for each in (site / "locales").iterdir()] == ["de"]
    file.write_text(text.replace('"Welcome"\nmsgstr ""', '"Welcome"\nmsgstr "Willkommen"'))
    (site / "templates" / "note.jinja").write_text("{{ items | length }}")
    assert run("messages", "--site", site).output == "locales/de/messages.po: 1 message, 0 to be translated\n"
    first = file.read_bytes()
    run("messages", "--site", site)
    assert file.read_bytes() == first
    assert '"Welcome"\nmsgstr "Willkommen"' in file.read_text()
    assert run("check", "--site", site).output.endswith("0 errors, 6 warnings\n")


def test_messages_of_a_broken_site_are_not_written(site: Path) -> None:
    (site / "templates" / "note.jinja").write_text("{{ 'a %(b)s' | t(locale) }}")
    done = run("messages", "--site", site)
    assert done.exit_code == 1
    assert "error[T112]" in done.output
    assert not (site / "locales").exists()


def test_a_moment_is_rendered_as_one_asks(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    (site / "templates" / "hero.liquid").write_text("{{ now.day | date: 'd. MMMM HH:mm', 'de' }}")
    shown = run("render", "home/hero", "--site", site, "--at", "2026-12-23T23:30+00:00", "--state-dir", site / "state")
    assert shown.output == "24. Dezember 00:00\n"


def test_a_zone_that_is_none_is_refused(site: Path) -> None:
    (site / "tessera.toml").write_text('[site]\nzone = "Europe/Kempten"\n')
    done = run("check", "--site", site)
    assert (done.exit_code, done.output) == (
        2,
        "`site.zone`: there is no such zone; write an IANA name such as `Europe/Berlin`, not `Europe/Kempten`\n",
    )
