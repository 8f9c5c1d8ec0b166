"""The cache changes nothing but speed, and nobody's data reaches anybody else."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.ports import Profile
from tessera.renderer.site import Site
from tests.support.client import client_of
from tests.support.fakes import World, item
from tests.support.sites import load, write_site

PATHS = [
    "visitor.first_name",
    "visitor.tier",
    "visitor.known",
    "device.type",
    "locale",
    "cta.text",
    "cta.url",
    "param.q",
]
LISTS = ["mine", "popular"]
ASKED = ["visitor.tier == 'gold'", "visitor.first_name", "param.q != 'x'", "visitor.first_name < 'B'"]
BOTH = [
    *(f"{{% if {asked} %}}yes{{% endif %}}" for asked in ASKED),
    "{% if visitor.tier == 'silver' %}{% abort %}{% endif %}",
    "{% if visitor.first_name == '1' %}{% abort 'fallback' %}{% endif %}",
    "{% for item in items %}{% if item.title == '<A>' %}A{% else %}-{% endif %}{% endfor %}",
    "{% fragment %}[{{ visitor.first_name }}]{% endfragment %}",
    "{% if visitor.known %}{% fragment %}<{{ cta.text }}{% fragment %}{{ param.q }}{% endfragment %}>"
    "{% endfragment %}{% endif %}",
    "{% fragment %}{% if visitor.first_name == 'Ann' %}{% abort %}{% endif %}not Ann{% endfragment %}",
    "{% fragment %}{% if device.type == 'mobile' %}{% abort 'fallback' %}{% endif %}large{% endfragment %}",
]
"""Pieces of templates that both languages write alike: questions, ends, fragments within one another."""

CONDITIONS = [
    'visitor.tier == "gold"',
    "visitor.known",
    "visitor.first_name is known",
    'device.type == "mobile" and locale == "de"',
    'not visitor.tier == "none"',
    'param.q == "x"',
]
PIECES: Mapping[str, list[str]] = {
    "liquid": [
        *BOTH,
        *(f"{{{{ {path} }}}}" for path in PATHS),
        "{% if visitor.tier == 'gold' %}G{% endif %}",
        "{% for item in items %}{{ item.title }}{{ forloop.index }}{% endfor %}",
        "{% if items %}{{ items.size }}{% endif %}",
        "{% assign name = visitor.first_name | upcase %}{{ name }}",
        "{% render 'part.liquid', who: visitor.first_name %}",
    ],
    "jinja": [
        *BOTH,
        *(f"{{{{ {path} }}}}" for path in PATHS),
        "{% if visitor.tier == 'gold' %}G{% endif %}",
        "{% for item in items %}{{ item.title }}{{ loop.index }}{% endfor %}",
        "{{ items | length }}",
        "{% set name = visitor.first_name | upper %}{{ name }}",
        "{% include 'part.jinja' %}",
    ],
}


@st.composite
def sites(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    templates = {"part.liquid": "({{ who }})", "part.jinja": "({{ visitor.first_name }}{{ device.type }})"}
    names = []
    for number in range(3):
        language = draw(st.sampled_from(["liquid", "jinja"]))
        pieces = draw(st.lists(st.sampled_from(PIECES[language]), max_size=4))
        names.append(f"t{number}.{language}")
        templates[names[-1]] = "-".join(pieces)
    rules = "".join(
        f"      - name: Rule {number}\n        when: {draw(st.sampled_from(CONDITIONS))}\n"
        f"        show: {{template: {draw(st.sampled_from(names))}, items: {draw(st.sampled_from(LISTS))}}}\n"
        for number in range(draw(st.integers(1, 3)))
    )
    page = (
        "page: home\nparams: {q: {type: string}}\nslots:\n  one:\n"
        f"    default: {{template: {names[0]}, cta: look, items: popular}}\n    rules:\n{rules}"
    )
    return page, templates


visitors = st.lists(
    st.fixed_dictionaries(
        {"first_name": st.sampled_from(["Ann", "Bob", "<b>", "1", "None"]), "unread": st.text(max_size=3)},
        optional={"tier": st.sampled_from(["none", "silver", "gold", "odd"])},
    ),
    min_size=2,
    max_size=5,
)
asks = st.tuples(
    st.integers(0, 5), st.sampled_from(["", "?q=x", "?q=%3Ci%3E"]), st.sampled_from(["en", "de"]), st.booleans()
)


@settings(max_examples=60)
@given(sites(), visitors, st.lists(asks, min_size=1, max_size=12))
def test_with_and_without_the_cache_the_bytes_are_equal(
    files: tuple[str, dict[str, str]], people: list[dict[str, str]], asked: list[tuple[int, str, str, bool]]
) -> None:
    async def answers(site: Site, cache: MemoryCache) -> list[bytes]:
        world = World(
            profiles={f"v{n}": Profile(traits) for n, traits in enumerate(people)},
            lists={"popular": ["A", "B"], "v0": ["B"], "v1": ["A"]},
            catalogue={sku: item(sku, f"<{sku}>") for sku in "AB"},
        )
        async with client_of(site, world, cache=cache) as client:
            return [
                (
                    await client.get(
                        f"/fragments/home/one{query}",
                        f"v{who}" if who else None,
                        accept_language=locale,
                        sec_ch_ua_mobile="?1" if phone else "?0",
                    )
                ).content
                for who, query, locale, phone in asked + asked
            ]

    with TemporaryDirectory() as folder:
        site = load(write_site(Path(folder), {"home.yaml": files[0]}, files[1]))
    with_cache = asyncio.run(answers(site, MemoryCache(10_000_000)))
    assert with_cache == asyncio.run(answers(site, MemoryCache(0)))


READER = """
    page: home
    slots:
      liquid: {default: {template: secret.liquid}}
      jinja: {default: {template: secret.jinja}}
      tier: {default: {template: tier.liquid}}
"""
SECRETS = {
    "secret.liquid": "<p>{{ visitor.secret }}</p>",
    "secret.jinja": "<p>{{ visitor.secret }}</p>",
    "tier.liquid": "<p>{{ visitor.tier }}</p>",
}


async def test_visitors_who_differ_in_what_nobody_reads_share_one_entry(tmp_path: Path) -> None:
    world = World(profiles={f"v{n}": Profile({"tier": "gold", "unread": str(n), "secret": str(n)}) for n in range(9)})
    cache = MemoryCache(1_000_000)
    async with client_of(write_site(tmp_path, {"home.yaml": READER}, SECRETS), world, cache=cache) as client:
        for n in range(9):
            await client.get("/fragments/home/tier", f"v{n}")
        assert len(cache) == 1


async def test_a_secret_reaches_the_visitor_whose_it_is_and_no_other(tmp_path: Path) -> None:
    secrets = {f"v{n}": f"secret-{random.Random(n).getrandbits(64):016x}" for n in range(500)}
    world = World(profiles={who: Profile({"secret": secret, "tier": "gold"}) for who, secret in secrets.items()})
    folder = write_site(tmp_path, {"home.yaml": READER}, SECRETS)
    async with client_of(folder, world) as client:
        people: list[str | None] = [*secrets, None]
        asked = [(who, slot) for who in people for slot in ("liquid", "jinja", "tier")] * 2
        random.Random(0).shuffle(asked)
        for start in range(0, len(asked), 100):
            batch = asked[start : start + 100]
            replies = await asyncio.gather(*(client.get(f"/fragments/home/{slot}", who) for who, slot in batch))
            for (who, slot), reply in zip(batch, replies, strict=True):
                own = f"<p>{secrets[who]}</p>" if who else "<p></p>"
                tier = "<p>gold</p>" if who else "<p></p>"
                assert reply.text == (tier if slot == "tier" else own)


async def test_one_cold_key_is_rendered_once(tmp_path: Path) -> None:
    world = World(profiles={f"v{n}": Profile({"tier": "gold"}) for n in range(100)})
    cache = CountingCache()
    async with client_of(write_site(tmp_path, {"home.yaml": READER}, SECRETS), world, cache=cache) as client:
        await asyncio.gather(*(client.get("/fragments/home/tier", f"v{n}") for n in range(100)))
        await asyncio.gather(*(client.get("/fragments/home/tier", "v0") for _ in range(100)))
    assert cache.puts == 1
    assert [source for source, _ in world.calls].count("profile") == 100


class CountingCache(MemoryCache):
    """Counts what is kept: each render keeps its fragment once."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.puts = 0

    def put(self, key: bytes, fragment: Fragment) -> None:
        self.puts += 1
        super().put(key, fragment)
