"""In development an edit shows on the next request, and a broken one changes nothing but what is printed."""

import logging
from pathlib import Path

import pytest

from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import SiteLoader, load_site
from tessera.renderer.reload import LiveSite, Wanted, edits, stamps
from tests.support.sites import LOCALES, load, write_site

PAGE = """
    page: home
    slots:
      hero: {default: {template: hero.liquid}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_site(
        tmp_path, {"home.yaml": PAGE}, {"hero.liquid": "one {% render 'part.liquid' %}", "part.liquid": "a"}
    )


@pytest.fixture
def live(folder: Path) -> LiveSite:
    return LiveSite(
        load(folder),
        lambda: load_site(folder, LOCALES, Limits()),
        lambda: Wanted(stamps(folder)),
        at_each_request=True,
    )


def html(live: LiveSite) -> str:
    plan = live.current().pages["home"].slots["hero"].default
    assert plan.template
    return plan.template.render({})


def test_an_edited_template_or_partial_shows_at_once(folder: Path, live: LiveSite) -> None:
    assert html(live) == "one a"
    (folder / "templates/hero.liquid").write_text("two and {% render 'part.liquid' %}")
    assert html(live) == "two and a"
    (folder / "templates/part.liquid").write_text("bb")
    assert html(live) == "two and bb"


def test_an_edited_rule_file_shows_at_once(folder: Path, live: LiveSite) -> None:
    (folder / "templates/other.liquid").write_text("other")
    (folder / "rules/home.yaml").write_text("page: home\nslots:\n  hero: {default: {template: other.liquid}}\n")
    assert html(live) == "other"


def test_a_broken_edit_keeps_the_last_good_version_and_says_what_is_wrong(
    folder: Path, live: LiveSite, caplog: pytest.LogCaptureFixture
) -> None:
    version = live.current().version
    (folder / "rules/home.yaml").write_text("page: home\nslots:\n  hero: {default: {template: her.liquid}}\n")
    with caplog.at_level(logging.ERROR, "tessera"):
        assert html(live) == "one a"
    assert live.current().version == version
    assert "rules/home.yaml:3:" in caplog.text
    assert "there is no template `her.liquid`" in caplog.text
    assert "did you mean `hero.liquid`?" in caplog.text


def test_without_an_edit_nothing_is_loaded(folder: Path) -> None:
    live = LiveSite(load(folder), lambda: pytest.fail("loaded"), lambda: Wanted(stamps(folder)), at_each_request=True)
    assert live.current() is live.current()


def test_in_production_edits_do_not_show(folder: Path) -> None:
    live = LiveSite.fixed(load(folder))
    (folder / "templates/hero.liquid").write_text("two")
    assert html(live) == "one a"


def test_only_edited_pages_are_planned_again(folder: Path) -> None:
    other = folder / "rules/other.yaml"
    other.write_text("page: other\nslots:\n  aside: {default: {template: part.liquid}}\n")
    loader = SiteLoader(folder, LOCALES, Limits())
    first = loader.load().site
    other.write_text("page: other\nslots:\n  aside: {default: nothing}\n")
    second = loader.load().site
    assert first
    assert second
    assert second.pages["home"] is first.pages["home"]
    assert second.pages["other"] is not first.pages["other"]
    (folder / "templates/part.liquid").write_text("b")
    third = loader.load().site
    assert third
    assert third.pages["home"] is not first.pages["home"]


def test_edits_come_at_once_and_after_each_edit_until_interrupted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = iter(["an edit", "another edit", "an interrupt"])  # of other sizes: clocks of files are coarse

    def wait(seconds: float) -> None:
        match next(waits):
            case "an interrupt":
                raise KeyboardInterrupt
            case text:
                (folder / "templates/hero.liquid").write_text(text)

    monkeypatch.setattr("tessera.renderer.reload.time.sleep", wait)
    assert len(list(edits(folder))) == 3
