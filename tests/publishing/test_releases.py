"""Releases: a version goes live whole or not at all, and the history says who did what, when and why."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from tessera.publishing.releases import Entry, ReleaseError, Releases

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for part in ("rules", "templates"):
        (tmp_path / "site" / part).mkdir(parents=True)
    write(tmp_path / "site", "one")
    return tmp_path / "site"


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "releases")


def test_translations_are_part_of_a_release(releases: Releases, site: Path) -> None:
    publish(releases, site)
    file = site / "locales" / "de" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text("# German\n")
    write(site, "two")
    entry = publish(releases, site)
    assert (releases.folder / entry.version / "locales" / "de" / "messages.po").read_text() == "# German\n"
    assert "+++ b/locales/de/messages.po" in entry.diff


def write(site: Path, text: str) -> None:
    (site / "rules" / "home.yaml").write_text(text + "\n")


def version_of(folder: Path) -> str:
    return sha256((folder / "rules" / "home.yaml").read_bytes()).hexdigest()


def publish(releases: Releases, site: Path, why: str = "because", prove: Callable[[Path], str] = version_of) -> Entry:
    return releases.publish(site, prove, NOW, "anna", why)


def texts(releases: Releases) -> str:
    live = releases.live()
    assert live is not None
    return (releases.folder / live / "rules" / "home.yaml").read_text()


def test_before_the_first_release_nothing_is_live(releases: Releases) -> None:
    assert (releases.live(), releases.versions(), releases.history()) == (None, [], [])


def test_what_is_published_is_live_and_later_edits_do_not_touch_it(releases: Releases, site: Path) -> None:
    publish(releases, site)
    write(site, "two")
    assert texts(releases) == "one\n"


def test_the_history_says_who_when_why_and_what_changed(releases: Releases, site: Path) -> None:
    first = publish(releases, site, "a start")
    write(site, "two")
    second = publish(releases, site, "an idea")
    assert releases.history() == [first, second]
    assert (second.action, second.previous, second.by, second.why) == ("publish", first.version, "anna", "an idea")
    assert second.at == "2026-11-23T10:00:00+00:00"
    assert second.diff == "--- a/rules/home.yaml\n+++ b/rules/home.yaml\n@@ -1 +1 @@\n-one\n+two"


def test_a_version_that_cannot_be_proved_changes_nothing(releases: Releases, site: Path) -> None:
    publish(releases, site)
    write(site, "two")
    with pytest.raises(ZeroDivisionError):
        publish(releases, site, prove=lambda folder: str(1 / 0))
    assert texts(releases) == "one\n"
    assert len(releases.versions()) == 1
    assert [each.name for each in releases.folder.glob(".new-*")] == []


def test_the_copy_that_is_proved_is_the_one_that_goes_live(releases: Releases, site: Path) -> None:
    def prove(folder: Path) -> str:
        write(site, "edited meanwhile")
        return version_of(folder)

    publish(releases, site, prove=prove)
    assert texts(releases) == "one\n"


def test_publishing_what_is_live_already_is_refused(releases: Releases, site: Path) -> None:
    publish(releases, site)
    with pytest.raises(ReleaseError, match="is live already: nothing has changed"):
        publish(releases, site)
    assert len(releases.history()) == 1


def test_rolling_back_goes_to_what_was_live_before_or_to_the_one_named(releases: Releases, site: Path) -> None:
    first = publish(releases, site)
    for text in ("two", "three"):
        write(site, text)
        last = publish(releases, site)
    back = releases.rollback(None, NOW, "ben", "oops")
    assert (back.action, back.previous, texts(releases)) == ("rollback", last.version, "two\n")
    assert back.diff.endswith("-three\n+two")
    releases.rollback(first.version[:10], NOW, "ben", "further")
    assert texts(releases) == "one\n"


def test_what_was_rolled_back_can_be_published_again(releases: Releases, site: Path) -> None:
    publish(releases, site)
    write(site, "two")
    publish(releases, site)
    releases.rollback(None, NOW, "ben", "oops")
    publish(releases, site)
    assert texts(releases) == "two\n"


@pytest.mark.parametrize(("version", "problem"), [(None, "no earlier"), ("beef", "no release `beef`"), ("", "no rel")])
def test_rolling_back_to_nothing_is_refused(releases: Releases, site: Path, version: str | None, problem: str) -> None:
    publish(releases, site)
    with pytest.raises(ReleaseError, match=problem):
        releases.rollback(version, NOW, "ben", "oops")


def test_several_people_publishing_at_once_all_stand_in_the_history_one_after_the_other(
    releases: Releases, tmp_path: Path, site: Path
) -> None:
    def go(number: int) -> None:
        mine = tmp_path / f"site-{number}"
        for part in ("rules", "templates"):
            (mine / part).mkdir(parents=True)
        write(mine, f"number {number}")
        publish(releases, mine)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(go, range(16)))
    entries = releases.history()
    assert [entry.previous for entry in entries] == [None, *(entry.version for entry in entries[:-1])]
    assert releases.live() == entries[-1].version
    assert len(releases.versions()) == 16
