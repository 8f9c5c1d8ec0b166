"""Device and locale, from whatever headers hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.device import Device, Devices
from tessera.renderer.core.locale import accepted, negotiate

recognise = Devices().recognise
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1"
)
IPAD = IPHONE.replace("iPhone", "iPad", 1)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
ANDROID_TABLET = CHROME.replace("X11; Linux x86_64", "Linux; Android 14; SM-X200")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (IPHONE, Device("mobile", "ios", "mobile safari")),
        (IPAD, Device("tablet", "ios", "mobile safari")),
        (CHROME, Device("desktop", "linux", "chrome")),
        (ANDROID_TABLET, Device("tablet", "android", "chrome")),
        ("", Device()),
    ],
)
def test_the_user_agent_tells_the_device(agent: str, device: Device) -> None:
    assert recognise(agent) == device


def test_client_hints_outrank_the_user_agent() -> None:
    assert recognise(CHROME, "?1", '"Android"') == Device("mobile", "android", "chrome")


@pytest.mark.parametrize("name", ["Googlebot/2.1", "bingbot/2.0", "GPTBot/1.2", "AdsBot-Google", "YandexBot/3.0"])
def test_known_crawlers_are_known(name: str) -> None:
    assert recognise(f"Mozilla/5.0 (compatible; {name}; +http://example.com/bot)").crawler


@given(st.tuples(*[st.binary(max_size=600)] * 3))
def test_no_header_is_an_error(hints: tuple[bytes, bytes, bytes]) -> None:
    recognise(*(hint.decode("latin-1") for hint in hints))


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
        ((None, None), "", "en"),
        ((None, "de"), "en", "de"),
        (("en", "de"), "de", "en"),
        ((None, "xx"), "de", "de"),
    ],
)
def test_path_then_cookie_then_header_choose_the_locale(
    chosen: tuple[str | None, str | None], header: str, locale: str
) -> None:
    assert negotiate(chosen, header, ("en", "de")) == locale


@given(st.text(max_size=200))
def test_any_header_gives_one_of_the_sites_locales(header: str) -> None:
    assert negotiate((None, header), header, ("en", "pt-BR")) in ("en", "pt-BR")
