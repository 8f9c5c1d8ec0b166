"""What fragments need of a page, its scripts and styles, is there once, before them, whoever puts the page together."""

from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from tessera.renderer.streaming import FILL_IN_HASH
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = """
    page: home
    layouts:
      - use: short
        when: device.type == "mobile"
      - use: main
    slots:
      hero:
        default: {template: hero.liquid}
        rules: [{name: Gold, when: 'visitor.tier == "gold"', show: {template: gold.jinja}}]
      rail: {default: {template: rail.liquid}}
      plain: {default: {template: plain.liquid}}
"""
MAIN = "<!doctype html><html><head><title>Shop</title></HEAD ><body>{{ slots.hero }}{{ slots.rail }}{{ slots.plain }}"
TEMPLATES = {
    "home/layouts/main.liquid": "{% # assets: /css/base.css %}" + MAIN,
    "home/layouts/short.liquid": "<!doctype html>\n<title>Shop</title>{{ slots.hero }}",
    "hero.liquid": "{% # assets: /css/hero.css, /font/a.woff2 %}<h2>Hero</h2>",
    "gold.jinja": "{#- assets: /css/hero.css\n /js/gold.mjs https://cdn.example/a.js?v=1&w=2 -#}<h2>Gold</h2>",
    "rail.liquid": "{% render 'card' %}{% comment %}assets: /js/rail.js /img/r.avif{% endcomment %}<ul></ul>",
    "partials/card.liquid": "{%- # assets: /css/hero.css /css/card.css -%}",
    "plain.liquid": "<p>plain</p>",
}
OF_HERO = (
    '<link rel="stylesheet" href="/css/hero.css">\n<script type="module" src="/js/gold.mjs"></script>\n'
    '<script src="https://cdn.example/a.js?v=1&amp;w=2" defer></script>\n'
)
OF_MAIN = (
    '<link rel="stylesheet" href="/css/base.css">\n'
    + OF_HERO
    + '<link rel="stylesheet" href="/css/card.css">\n<script src="/js/rail.js" defer></script>\n'
)
ANNOUNCED = [
    "</css/base.css>; rel=preload; as=style",
    "</css/hero.css>; rel=preload; as=style",
    "</js/gold.mjs>; rel=modulepreload",
    "<https://cdn.example/a.js?v=1&w=2>; rel=preload; as=script",
    "</font/a.woff2>; rel=preload; as=font; crossorigin",
    "</css/card.css>; rel=preload; as=style",
    "</js/rail.js>; rel=preload; as=script",
    "</img/r.avif>; rel=preload; as=image",
]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, World()) as client:
        yield client


@pytest.mark.parametrize("composer", ["buffer", "stream", "esi", "ssi"])
async def test_a_page_has_whatever_its_slots_may_need_once_at_the_end_of_its_head(
    client: Client, composer: str
) -> None:
    reply = await client.get(f"/pages/home?compose={composer}")
    assert reply.text.startswith(f"<!doctype html><html><head><title>Shop</title>{OF_MAIN}</HEAD ><body>")
    assert reply.text.count("<link") + reply.text.count("<script") == 6
    assert reply.headers["link"].split(", ") == ANNOUNCED


@pytest.mark.parametrize("composer", ["buffer", "stream", "esi", "ssi"])
async def test_a_layout_brings_what_its_own_slots_need_and_no_more(client: Client, composer: str) -> None:
    reply = await client.get(f"/pages/home?compose={composer}", user_agent=PHONE)
    assert reply.text.startswith(f"<!doctype html>\n{OF_HERO}<title>Shop</title>")
    assert "rail" not in reply.headers["link"]


async def test_a_fragment_alone_tells_its_includer(client: Client) -> None:
    for _ in range(2):  # made, and at hand
        reply = await client.get("/fragments/home/rail")
        assert reply.headers["link"] == (
            "</css/hero.css>; rel=stylesheet, </css/card.css>; rel=stylesheet, </js/rail.js>; rel=preload; as=script, "
            "</img/r.avif>; rel=preload; as=image"
        )
        assert "link" not in (await client.get("/fragments/home/plain")).headers
    held = {"if_none_match": reply.headers["etag"]}
    assert (await client.get("/fragments/home/rail", **held)).headers["link"] == reply.headers["link"]


async def test_a_podlet_names_its_assets_in_its_manifest(client: Client) -> None:
    manifest = (await client.get("/podium/home/rail/manifest.json")).json()
    assert [each["value"] for each in manifest["css"]] == ["/css/hero.css", "/css/card.css"]
    assert manifest["js"] == [{"value": "/js/rail.js", "type": "default", "defer": True}]
    assert not {"css", "js"} & (await client.get("/podium/home/plain/manifest.json")).json().keys()


STYLE, SCRIPT = "p { color: teal }", "told = '<!-- x -->'"
LAYOUT = f"""<!doctype html><head><style>{STYLE}</style></head><body>{{{{ slots.hero }}}}
<script>{SCRIPT}</script><script type="application/json">{{{{ param.q | json_script }}}}</script>"""
PAGE_OF_ONE = """
    page: home
    params: {q: {type: string}}
    layouts: [{use: main}]
    slots: {hero: {default: {template: hero.jinja}}}
"""


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


async def policy(folder: Path, template: str, **http: object) -> str:
    """Return the policy of a page with this fragment in it."""
    write_site(folder, {"home.yaml": PAGE_OF_ONE}, {"home/layouts/main.liquid": LAYOUT, "hero.jinja": template})
    async with client_of(folder, World(), settings=settings_for_tests(http=http)) as client:
        replies = [await client.get(f"/pages/home?compose={each}&q=x") for each in ("buffer", "stream", "esi")]
    (told,) = {reply.headers["content-security-policy"] for reply in replies}
    return told


async def test_a_pages_policy_allows_what_stands_in_its_templates_and_nothing_else(tmp_path: Path) -> None:
    hero = "{# assets: https://cdn.example/a.js https://css.example/b.css #}<script src='//c.example/x.js'></script>"
    told = await policy(tmp_path, hero, content_policy=True)
    found = {part.split()[0]: part.split()[1:] for part in told.split("; ")}
    scripts = {"'self'", FILL_IN_HASH, hashed(SCRIPT), "c.example", "https://cdn.example"}
    assert set(found["script-src"]) == scripts
    assert found["style-src"] == ["'self'", "https://css.example", "'unsafe-inline'"]
    assert set(found["style-src-elem"]) == {"'self'", "https://css.example", hashed(STYLE)}
    assert (found["object-src"], found["base-uri"], found["frame-ancestors"]) == (["'none'"], ["'self'"], ["'self'"])


@pytest.mark.parametrize(
    ("hero", "why"),
    [
        ("<script>a = {{ param.q | json_script }}</script>", "a `script` with values in it"),
        ("<p onclick='x()'>", "`onclick`"),
        ("<script src='{{ param.q | url }}'></script>", "a `script` from some place or other"),
        ("<script>unfinished", "a `script` that does not end in the same file"),
    ],
)
async def test_a_page_that_no_policy_can_allow_has_none_and_operators_are_told_why(
    tmp_path: Path, hero: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await policy(tmp_path, hero, content_policy=True) == "frame-ancestors 'self'"
    assert [record.message for record in caplog.records if "policy" in record.message] == [
        f"home: no policy for scripts and styles can be told: templates/hero.jinja: {why}"
    ]


async def test_without_the_setting_there_is_no_policy_for_scripts(tmp_path: Path) -> None:
    assert await policy(tmp_path, "<p>") == "frame-ancestors 'self'"
