"""Who is believed to be asking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.request import Request
from tessera.renderer.core.visitor import Identity, Trust, Visitor

TRUST = Trust("a secret of many letters", "edge-secret", "tv", None, "consent", "yes")
TRUSTING = Trust("a secret of many letters", None, "tv", "uid", "consent", "yes")
IDENTITY = Identity(TRUST)
SIGNED = IDENTITY.sign("ann")


def request(cookie: str = "", **headers: str) -> Request:
    sent = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    return Request.of({**sent, b"cookie": cookie.encode("latin-1")})


def who(asked: Request, identity: Identity = IDENTITY, *, crawler: bool = False) -> Visitor:
    return identity.visitor(asked, crawler=crawler, from_edge=identity.from_edge(asked))


def test_a_signed_id_with_consent_is_believed() -> None:
    assert who(request(f"a=b; tv={SIGNED}; consent=yes")) == Visitor("ann", "granted")


@pytest.mark.parametrize("cookie", ["tv={}", "tv={}; consent=no", "tv={}; consent=", "tv={}; consent=YES"])
def test_without_consent_there_is_no_id(cookie: str) -> None:
    assert who(request(cookie.format(SIGNED))).id is None


def test_global_privacy_control_outranks_the_consent_cookie() -> None:
    assert who(request(f"tv={SIGNED}; consent=yes", sec_gpc="1")) == Visitor(None, "denied")


def test_a_crawler_has_no_id() -> None:
    assert who(request(f"tv={SIGNED}; consent=yes"), crawler=True) == Visitor(None, "granted", True)


@pytest.mark.parametrize("altered", ["ann", "bob" + SIGNED[3:], SIGNED[:-1], SIGNED + "A", "." + SIGNED, "", "ann."])
def test_an_unsigned_or_altered_id_is_an_anonymous_visitor(altered: str) -> None:
    assert who(request(f"tv={altered}; consent=yes")).id is None


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=80))
def test_no_cookie_is_an_error_or_an_id(cookie: str) -> None:
    assert who(request(f"consent=yes; tv={cookie}")).id is None
    who(request(cookie))


@given(st.text(min_size=1, alphabet=st.characters(categories=["L", "N"])))
def test_every_id_that_was_signed_is_read_again(visitor_id: str) -> None:
    signed = IDENTITY.sign(visitor_id)
    if signed.isascii():
        assert who(request(f"tv={signed}; consent=yes")).id == visitor_id


def test_a_plain_cookie_is_believed_only_where_a_setting_names_it() -> None:
    asked = request("uid=u-77; consent=yes")
    assert who(asked).id is None
    assert who(asked, Identity(TRUSTING)).id == "u-77"
    assert who(request("uid=; consent=yes"), Identity(TRUSTING)).id is None


@pytest.mark.parametrize(
    ("secret", "expected"), [("edge-secret", "bob"), ("edge-secre", None), ("", None), ("édge", None)]
)
def test_a_header_names_a_visitor_only_with_the_edge_secret(secret: str, expected: str | None) -> None:
    asked = request("consent=yes", x_tessera_visitor="bob", x_tessera_edge_secret=secret)
    assert who(asked).id == expected


def test_without_an_edge_secret_no_header_is_believed() -> None:
    asked = request("consent=yes", x_tessera_visitor="bob", x_tessera_edge_secret="")
    assert who(asked, Identity(TRUSTING)).id is None


def test_the_first_of_two_cookies_counts() -> None:
    assert who(request(f"consent=yes; tv={SIGNED}; tv={IDENTITY.sign('eve')}")).id == "ann"
