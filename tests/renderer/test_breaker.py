"""The breaker: opened by a share of failures, closed by one call that is tried, and never by what came before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.breaker import MAX_RETRY_AFTER_S, MIN_CALLS, Breaker

REST_S = 2.0


class Timed(Breaker):
    """A breaker with a clock of its own."""

    def __init__(self, share: float = 0.5) -> None:
        self.now_s = 1000.0
        super().__init__("profile", share, REST_S, lambda: self.now_s)

    def call(self, *, failed: bool | None, retry_after_s: float | None = None) -> bool:
        """Make a call, if one may be made; tell whether one might."""
        turn = self.begin()
        if turn is None:
            return False
        self.end(turn, failed, retry_after_s)
        return True


def state_of(breaker: Breaker) -> str:
    return breaker.state


def opened() -> Timed:
    breaker = Timed()
    for _ in range(MIN_CALLS):
        breaker.call(failed=True)
    assert state_of(breaker) == "open"
    return breaker


def test_a_share_of_failures_opens_it() -> None:
    breaker = Timed(share=0.5)
    for number in range(MIN_CALLS):
        assert state_of(breaker) == "closed"
        breaker.call(failed=number % 2 == 1)
    assert state_of(breaker) == "open"


def test_less_than_the_share_does_not() -> None:
    breaker = Timed(share=0.5)
    for _ in range(100):
        for failed in (False, False, True):
            assert breaker.call(failed=failed)
        breaker.now_s += 0.01


def test_a_few_failures_say_nothing() -> None:
    breaker = Timed()
    for _ in range(50):
        for _ in range(MIN_CALLS - 1):
            assert breaker.call(failed=True)
        breaker.now_s += REST_S * 1.1


def test_open_it_lets_nothing_through_until_it_has_rested() -> None:
    breaker = opened()
    breaker.now_s += REST_S - 0.01
    assert not breaker.call(failed=False)
    breaker.now_s += 0.01
    assert state_of(breaker) == "half-open"


def test_one_call_at_a_time_probes_it() -> None:
    breaker = opened()
    breaker.now_s += REST_S
    probe = breaker.begin()
    assert probe is not None
    assert [breaker.begin() for _ in range(10)] == [None] * 10
    breaker.end(probe, failed=False)
    assert state_of(breaker) == "closed"
    assert all(breaker.call(failed=False) for _ in range(10))


def test_a_probe_that_fails_opens_it_for_as_long_again() -> None:
    breaker = opened()
    breaker.now_s += REST_S
    assert breaker.call(failed=True)
    assert not breaker.call(failed=False)
    breaker.now_s += REST_S
    assert breaker.call(failed=False)
    assert state_of(breaker) == "closed"


def test_a_probe_that_is_broken_off_leaves_the_next_one_free() -> None:
    breaker = opened()
    breaker.now_s += REST_S
    assert breaker.call(failed=None)
    assert state_of(breaker) == "half-open"
    assert breaker.call(failed=False)
    assert state_of(breaker) == "closed"


def test_what_began_before_it_opened_counts_no_longer() -> None:
    breaker = Timed()
    late = [breaker.begin() for _ in range(30)]
    for turn in late[:MIN_CALLS]:
        assert turn is not None
        breaker.end(turn, failed=True)
    breaker.now_s += REST_S
    probe = breaker.begin()
    for turn in late[MIN_CALLS:]:
        assert turn is not None
        breaker.end(turn, failed=True)
    assert state_of(breaker) == "half-open"
    assert probe is not None
    breaker.end(probe, failed=False)
    assert state_of(breaker) == "closed"


@pytest.mark.parametrize(("said_s", "rests_s"), [(0.5, 0.5), (10, 10), (86_400, MAX_RETRY_AFTER_S)])
def test_an_upstream_may_say_for_how_long_it_wants_to_be_left_alone(said_s: float, rests_s: float) -> None:
    breaker = Timed()
    breaker.call(failed=True, retry_after_s=said_s)
    breaker.now_s += rests_s - 0.01
    assert not breaker.call(failed=False)
    breaker.now_s += 0.02
    assert breaker.call(failed=False)
    assert state_of(breaker) == "closed"


@given(st.lists(st.tuples(st.sampled_from([None, True, False]), st.floats(0, 3)), max_size=60))
def test_whatever_happened_it_closes_once_the_upstream_answers(history: list[tuple[bool | None, float]]) -> None:
    breaker = Timed()
    for failed, passes_s in history:
        breaker.call(failed=failed)
        breaker.now_s += passes_s
    breaker.now_s += REST_S
    assert breaker.call(failed=False)
    assert state_of(breaker) == "closed"
