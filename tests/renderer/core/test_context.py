"""Device and locale, from whatever headers hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.device import Device, Devices
from tessera.renderer.core.locale import accepted, negotiate

recognise = Devices().recognise
IPHONE = (
    b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    b"Version/17.0 Mobile/15E148 Safari/604.1"
)
IPAD = IPHONE.replace(b"iPhone", b"iPad", 1)
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
ANDROID_TABLET = CHROME.replace(b"X11; Linux x86_64", b"Linux; Android 14; SM-X200")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (IPHONE, Device("mobile", "ios", "mobile safari")),
        (IPAD, Device("tablet", "ios", "mobile safari")),
        (CHROME, Device("desktop", "linux", "chrome")),
        (ANDROID_TABLET, Device("tablet", "android", "chrome")),
        (None, Device()),
    ],
)
def test_the_user_agent_tells_the_device(agent: bytes | None, device: Device) -> None:
    assert recognise((agent, None, None)) == device


def test_client_hints_outrank_the_user_agent() -> None:
    assert recognise((CHROME, b"?1", b'"Android"')) == Device("mobile", "android", "chrome")


@pytest.mark.parametrize("name", [b"Googlebot/2.1", b"bingbot/2.0", b"GPTBot/1.2", b"AdsBot-Google", b"YandexBot/3.0"])
def test_known_crawlers_are_known(name: bytes) -> None:
    assert recognise((b"Mozilla/5.0 (compatible; " + name + b"; +http://example.com/bot)", None, None)).crawler


@given(st.tuples(*[st.none() | st.binary(max_size=600)] * 3))
def test_no_header_is_an_error(hints: tuple[bytes | None, bytes | None, bytes | None]) -> None:
    recognise(hints)


@pytest.mark.parametrize(
    ("header", "ranges"),
    [
        ("de-CH, en;q=0.8, *;q=0.1", ["de-CH", "en", "*"]),
        ("en;q=0.2,de;q=0.9", ["de", "en"]),
        ("en;q=0, de;q=x, fr;q=2, ;q=1, it", ["it"]),
        ("", []),
    ],
)
def test_language_ranges_come_best_first(header: str, ranges: list[str]) -> None:
    assert accepted(header) == ranges


@pytest.mark.parametrize(
    ("chosen", "header", "locale"),
    [
        ((None, None), "de-AT,de;q=0.9,en;q=0.5", "de"),
        ((None, None), "fr", "en"),
        ((None, None), None, "en"),
        ((None, "de"), "en", "de"),
        (("en", "de"), "de", "en"),
        ((None, "xx"), "de", "de"),
    ],
)
def test_path_then_cookie_then_header_choose_the_locale(
    chosen: tuple[str | None, str | None], header: str | None, locale: str
) -> None:
    assert negotiate(chosen, header, ("en", "de")) == locale


@given(st.text(max_size=200))
def test_any_header_gives_one_of_the_sites_locales(header: str) -> None:
    assert negotiate((None, header), header, ("en", "pt-BR")) in ("en", "pt-BR")
