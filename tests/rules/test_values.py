"""How values are written, ordered and counted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.tokens import quote, tokenize, unquote
from tessera.rules.values import (
    END_OF_TIME,
    Period,
    Version,
    format_elapsed,
    major_units,
    minor_units,
    parse_elapsed,
)


def test_versions_are_ordered_as_semantic_versioning_says() -> None:
    texts = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1 1.0.1 1.2 1.10 2.0.0"
    assert all(Version.parse(low) < Version.parse(high) for low, high in pairwise(texts.split()))


def test_versions_of_different_length_may_be_equal() -> None:
    assert Version.parse("2.1") == Version.parse("2.1.0+build.7") != Version.parse("2.1.1")
    assert str(Version.parse("2.1")) == "2.1.0"
    assert str(Version.parse("2.1.0.4-rc.1")) == "2.1.0.4-rc.1"


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-08-31", "6 months", "2027-02-28"),
        ("2023-08-31", "6 months", "2024-02-29"),
        ("2024-02-29", "1 year", "2025-02-28"),
        ("2026-12-15", "1 month", "2027-01-15"),
        ("2026-01-31", "2 weeks", "2026-02-14"),
        ("2026-01-31", "0 days", "2026-01-31"),
    ],
)
def test_periods_follow_the_calendar(start: str, period: str, end: str) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert Period.parse(period).after(moment) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_periods_past_the_end_of_time_end_there() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert Period.parse("9000 years").after(now) == END_OF_TIME
    assert Period.parse("9999999 days").after(now) == END_OF_TIME


@pytest.mark.parametrize("text", ["", "30", "days", "-3 days", "3.5 days", "99999999999 days", "3  days"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        Period.parse(text)


@given(st.integers(1, 10_000_000).map(lambda seconds: timedelta(seconds=seconds)))
def test_elapsed_times_are_read_as_they_are_written(elapsed: timedelta) -> None:
    assert parse_elapsed(format_elapsed(elapsed)) == elapsed


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("EUR", "49.90", 4990), ("JPY", "500", 500), ("KWD", "1.005", 1005)]
)
def test_money_is_counted_in_the_currencys_smallest_unit(currency: str, amount: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor
    assert str(major_units(minor, currency)) == amount


@given(st.text())
def test_a_quoted_text_is_one_token_that_stands_for_it(text: str) -> None:
    if "\n" in text:
        return
    tokens = tokenize(quote(text))
    assert [token.kind for token in tokens] == ["text", "end"]
    assert unquote(tokens[0].text) == text


@given(st.text())
def test_tokens_cover_everything_but_blanks(text: str) -> None:
    tokens = tokenize(text)
    covered = {index for token in tokens for index in range(token.start, token.end)}
    assert all(char.isspace() for index, char in enumerate(text) if index not in covered)
    assert all(text[token.start : token.end] == token.text for token in tokens)
