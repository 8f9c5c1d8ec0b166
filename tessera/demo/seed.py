"""Who visits the demo shop, what they looked at and bought, and what it sells: made up, but not at random.

Visitors have tastes: an outlook (hut walker, runner, …) that draws them to some departments, and a price level.
Orders have an anchor and what goes with it (a tent and its pegs). Tier, points, recency, favourite departments and
segments are counted from that history, so that all of it agrees. The same ``now`` gives the same rows: nothing here
reads a clock, and randomness is seeded. Rows hold JSON's types, except that an interaction's moment is a `datetime`.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Final, Literal, NamedTuple, TypedDict

from tessera.demo.catalogue import CATEGORIES, FAMILIES, Family

Kind = Literal["view", "cart", "purchase"]
Interaction = tuple[str, str, Kind, datetime]
"""Visitor id, sku, what was done, and when (aware, as `now` is)."""

SEED: Final = 20261216
VISITORS: Final = 2400
"""Visitors made by chance, beside the personas."""

MEMORY_DAYS: Final = 540
"""Whoever was here last longer ago than this is forgotten."""

_PAUSE: Final = timedelta(minutes=4)
"""Between one thing a visitor does and the next."""

COMPANION_CHANCE: Final = 0.6
"""Chance that an order takes along each product that goes with its anchor."""

TIERS: Final = ((150_000, "platinum"), (60_000, "gold"), (20_000, "silver"), (0, "none"))
"""Least lifetime value, in EUR cents, of each level."""


class Money(TypedDict):
    """An amount in minor units."""

    amount: int
    currency: str


class Item(TypedDict):
    """A catalogue item, with the fields that `rules/facts.yaml` declares."""

    sku: str
    title: str
    brand: str
    category: str
    category_title: str
    art: str
    hue: int
    colour: str
    price: Money
    was_price: Money | None
    rating: float
    reviews: int
    in_stock: bool
    badge: str | None
    spec: str
    blurb: str


class Line(TypedDict):
    """A line of a cart."""

    sku: str
    quantity: int


class Visitor(NamedTuple):
    """A profile: the visitor's id, traits by name, and the segments that a customer data platform would deliver."""

    id: str
    traits: Mapping[str, object]
    segments: Sequence[str]


class World(NamedTuple):
    """What the shop sells, and everything that happened in it up to a moment."""

    items: Sequence[Item]
    visitors: Sequence[Visitor]
    interactions: Sequence[Interaction]
    carts: Sequence[tuple[str, Sequence[Line]]]


COLOURS: Final = (
    ("ochre", 42),
    ("lake", 190),
    ("heather", 282),
    ("slate", 222),
    ("cranberry", 342),
    ("rust", 16),
    ("moss", 96),
    ("spruce", 160),
    ("bracken", 32),
    ("fjord", 208),
)

OUTLOOKS: Final[Mapping[str, Mapping[str, int]]] = {
    "hut walker": {"footwear": 5, "packs": 4, "layers": 4, "poles": 3, "sleeping-bags": 2},
    "tent trekker": {"tents": 5, "sleeping-bags": 4, "mats": 4, "packs": 3, "stoves": 3, "camp": 2},
    "trail runner": {"footwear": 6, "water": 3, "lights": 3, "jackets": 2, "poles": 2},
    "family camper": {"tents": 4, "camp": 5, "stoves": 3, "lights": 3, "mats": 2},
    "alpinist": {"jackets": 5, "packs": 4, "layers": 3, "poles": 2, "footwear": 3},
    "commuter": {"jackets": 5, "packs": 4, "water": 3, "layers": 3},
}
"""How strongly each kind of visitor is drawn to departments."""

OUTLOOK_WEIGHTS: Final = (24, 20, 18, 16, 10, 12)

_FIRST_NAMES: Final = (
    "Ada Ahmet Alba Anna Anton Aoife Astrid Beatriz Ben Birgit Bruno Carla Carmen Casper Chiara Clara Daan Daniel "
    "Davide Dilan Dorte Edith Eline Elif Emil Emma Erik Eva Fabian Fatima Femke Finn Florian Frida Georg Giulia Greta "
    "Hanna Hannes Hugo Ida Ines Ingrid Isak Jan Jana Jelena Johan Jonas Josef Julia Kaja Karim Karin Katya Klara Lars "
    "Laura Lea Lena Leo Liam Lina Linus Lotte Louis Lucia Luka Maja Malin Marco Maria Marta Mateo Matthias Mei Mia "
    "Mika Milan Mina Nadia Nele Nico Nils Nina Noah Nora Ole Olga Olivia Oskar Paul Paula Pernille Petra Pia Rafael "
    "Rosa Ruben Saga Samir Sara Selma Simon Sina Sofia Stefan Sven Tariq Tessa Theo Thea Tilda Tim Tobias Vera Viktor "
    "Wanda Yara Yusuf Zoe"
)


def items() -> list[Item]:
    """Return all that the shop sells, in order of department and sku; always the same."""
    random = Random(SEED)
    made: list[Item] = []
    for category in CATEGORIES:
        number = 0
        for family in (one for one in FAMILIES if one.category == category.slug):
            reputation = 3.9 + random.random() * 0.8
            popularity = random.random()
            colours = random.sample(COLOURS, len(family.variants))
            for variant, (colour, hue) in zip(family.variants, colours, strict=True):
                number += 1
                fate = random.random()
                reduced = fate < 0.12
                price = _rounded(variant.cents * random.choice((0.7, 0.75, 0.8, 0.85))) if reduced else variant.cents
                badge = "sale" if reduced else _badge(fate)
                made.append(
                    {
                        "sku": f"{category.prefix}-{number:03}",
                        "title": f"{family.name} {variant.suffix}",
                        "brand": family.brand,
                        "category": category.slug,
                        "category_title": category.title,
                        "art": family.art,
                        "hue": hue,
                        "colour": colour,
                        "price": {"amount": price, "currency": "EUR"},
                        "was_price": {"amount": variant.cents, "currency": "EUR"} if reduced else None,
                        "rating": round(min(5.0, reputation + random.uniform(-0.2, 0.25)), 1),
                        "reviews": 3 + int(popularity * 180 * random.uniform(0.4, 1.0)),
                        "in_stock": badge == "last-few" or random.random() > 0.04,
                        "badge": badge,
                        "spec": variant.spec,
                        "blurb": family.blurb,
                    }
                )
    return made


def visitors(now: datetime) -> Sequence[Visitor]:
    """Return the profiles: visitor id, traits, segments. Personas come first."""
    return world(now).visitors


def interactions(now: datetime) -> Sequence[Interaction]:
    """Return what visitors did, each visitor's in order of time, none later than ``now``."""
    return world(now).interactions


def carts(now: datetime) -> Sequence[tuple[str, Sequence[Line]]]:
    """Return visitor id and lines of every cart that is not empty."""
    return world(now).carts


@lru_cache(maxsize=1)
def world(now: datetime) -> World:
    """Make up everything at once, ``now`` being aware. Kept, since the three functions above share it."""
    return _Making(now).world()


def _badge(fate: float) -> str | None:
    if fate < 0.22:
        return "new"
    if fate < 0.30:
        return "staff-pick"
    return "last-few" if fate < 0.36 else None


def _rounded(cents: float) -> int:
    """Round down as shops do: to five euros above fifty, to an amount in ninety above ten, to ten cents below."""
    if cents >= 5000:
        return int(cents) // 500 * 500
    return int(cents) // 100 * 100 - 10 if cents > 1000 else int(cents) // 10 * 10


class _Shelf:
    """The items of one department, for one price level, to be drawn by popularity."""

    def __init__(self, items: Sequence[Item], level: int) -> None:
        by_price = sorted(items, key=lambda item: (item["price"]["amount"], item["sku"]))
        near = [abs(rank / max(1, len(by_price) - 1) - level / 2) for rank in range(len(by_price))]
        self.items = by_price
        self.weights = list(
            accumulate(
                (0.15 + (1 - distance) ** 3) * (10 + item["reviews"])
                for distance, item in zip(near, by_price, strict=True)
            )
        )

    def draw(self, random: Random) -> Item:
        return self.items[bisect(self.weights, random.random() * self.weights[-1])]


class _Making:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.random = Random(SEED + 1)
        self.names = _FIRST_NAMES.split()
        self.items = everything = items()
        self.price = {item["sku"]: item["price"]["amount"] for item in everything}
        self.category = {item["sku"]: item["category"] for item in everything}
        self.reduced = {item["sku"] for item in everything if item["badge"] == "sale"}
        self.departments = [category.slug for category in CATEGORIES]
        self.shelves = {
            (slug, level): _Shelf([item for item in everything if item["category"] == slug], level)
            for slug in self.departments
            for level in range(3)
        }
        self.companions = _companions(everything)
        self.visitors: list[Visitor] = []
        self.interactions: list[Interaction] = []
        self.carts: list[tuple[str, Sequence[Line]]] = []

    def world(self) -> World:
        self.add_personas()
        outlooks = self.random.choices(tuple(OUTLOOKS.values()), OUTLOOK_WEIGHTS, k=VISITORS)
        for number, outlook in enumerate(outlooks, 1):
            self.add_visitor(f"v{number:05}", outlook)
        return World(tuple(self.items), tuple(self.visitors), tuple(self.interactions), tuple(self.carts))

    def add_visitor(self, who: str, outlook: Mapping[str, int]) -> None:
        random = self.random
        level = random.choices((0, 1, 2), (35, 45, 20))[0]
        loyalty = random.random() ** 2
        tastes = list(outlook)
        pull = list(accumulate(outlook.values()))
        latest = random.expovariate(1 / 45) % MEMORY_DAYS
        visits = 1 + int(loyalty * 10)
        gaps = [_gap(random, loyalty) for _ in range(visits)]
        moments = [self.now - timedelta(days=days) for days in accumulate(gaps[1:], initial=latest)][::-1]
        mine: list[Interaction] = []
        left_over: list[str] = []
        for at in moments:
            left_over = []
            moment = at
            for _ in range(1 + int(random.random() * 3)):
                at_home = random.random() < 0.8
                slug = tastes[bisect(pull, random.random() * pull[-1])] if at_home else random.choice(self.departments)
                sku = self.shelves[slug, level].draw(random)["sku"]
                mine.append((who, sku, "view", moment))
                if random.random() < 0.18 + 0.3 * loyalty:
                    mine.append((who, sku, "cart", moment))
                    left_over.append(sku)
                moment += _PAUSE
            if left_over and random.random() < 0.35 + 0.4 * loyalty:
                mine += [(who, sku, "purchase", moment) for sku in self.order(left_over)]
                left_over = []
        mine = [one for one in mine if one[3] <= self.now]
        self.interactions += mine
        if left_over and latest < 30:
            quantities = Counter(left_over)
            self.carts.append((who, [{"sku": sku, "quantity": n} for sku, n in sorted(quantities.items())]))
        self.visitors.append(self.profile(who, random.choice(self.names), moments, mine, random.random() < 0.3))

    def order(self, chosen: Sequence[str]) -> list[str]:
        """Return what is paid for: the chosen skus and, by chance, what goes with them; none twice."""
        bought = dict.fromkeys(chosen)
        for sku in chosen:
            for others in self.companions.get(sku, ()):
                if self.random.random() < COMPANION_CHANCE:
                    bought[others[int(self.random.random() ** 2 * len(others))]] = None
        return list(bought)

    def profile(
        self, who: str, name: str, moments: Sequence[datetime], mine: Sequence[Interaction], newsletter: bool
    ) -> Visitor:
        orders = [one for one in mine if one[2] == "purchase"]
        value = sum(self.price[sku] for _, sku, _, _ in orders)
        looked_at = Counter(self.category[sku] for _, sku, _, _ in mine)
        favourites = sorted(slug for slug, times in looked_at.most_common(3) if times > 1)
        month_ago = self.now - timedelta(days=30)
        traits: dict[str, object] = {
            "first_name": name,
            "tier": next(tier for least, tier in TIERS if value >= least),
            "points": value // 100,
            "returning": len(moments) > 1,
            "sessions_30d": sum(moment >= month_ago for moment in moments),
            "lifetime_value": {"amount": value, "currency": "EUR"},
            "favourite_categories": favourites,
            "newsletter": newsletter,
        }
        segments = []
        if orders:
            traits["last_purchase_at"] = max(at for *_, at in orders).isoformat()
            if sum(sku in self.reduced for _, sku, _, _ in orders) * 2 > len(orders):
                segments.append("deal_seekers")
        if value >= 200_000:
            segments.append("vip")
        return Visitor(who, traits, segments)

    def add_personas(self) -> None:
        """Add the visitors whom `personas.yaml` names, by hand: their pages are the ones people look at first."""
        for who, traits, segments, history, cart in PERSONAS:
            bought = [days for days, _, kind in history if kind == "purchase"]
            given = dict(traits)
            if bought:
                given["last_purchase_at"] = (self.now - timedelta(days=min(bought))).isoformat()
            self.visitors.append(Visitor(who, given, list(segments)))
            self.interactions += [(who, sku, kind, self.now - timedelta(days=days)) for days, sku, kind in history]
            if cart:
                self.carts.append((who, [{"sku": sku, "quantity": 1} for sku in cart]))


def _gap(random: Random, loyalty: float) -> float:
    """Return the days between two visits: two for the most loyal, up to forty-two for others."""
    return 2 + (1 - loyalty) * 40 * random.random()


def _companions(everything: Sequence[Item]) -> Mapping[str, Sequence[Sequence[str]]]:
    """Map each sku to what goes with it: for each family named by its own, the skus of that family."""
    by_title = {item["title"]: item["sku"] for item in everything}

    def skus(family: Family) -> list[str]:
        return [by_title[f"{family.name} {variant.suffix}"] for variant in family.variants]

    by_name = {family.name: skus(family) for family in FAMILIES}
    return {
        sku: [by_name[name] for name in family.goes_with]
        for family in FAMILIES
        if family.goes_with
        for sku in by_name[family.name]
    }


_Persona = tuple[
    str, Mapping[str, object], Sequence[str], Sequence[tuple[float, str, Kind]], Sequence[str]
]  # id, traits, segments, (days ago, sku, kind) from old to new, skus in the cart

PERSONAS: Final[Sequence[_Persona]] = (
    (
        "jonas",
        {
            "first_name": "Jonas",
            "tier": "silver",
            "points": 212,
            "returning": True,
            "sessions_30d": 3,
            "lifetime_value": {"amount": 21_260, "currency": "EUR"},
            "favourite_categories": ["footwear", "lights", "packs"],
            "newsletter": False,
        },
        (),
        (
            (95, "FOOT-008", "purchase"),
            (95, "LAYR-012", "purchase"),
            (95, "WATR-012", "purchase"),
            (12, "PACK-009", "view"),
            (12, "PACK-006", "view"),
            (12, "LITE-011", "view"),
            (4, "PACK-009", "cart"),
            (4, "LITE-005", "cart"),
            (1, "LAYR-013", "cart"),
            (1, "JACK-013", "view"),
        ),
        ("LAYR-013", "LITE-005", "WATR-007"),
    ),
    (
        "maren",
        {
            "first_name": "Maren",
            "tier": "gold",
            "points": 1_243,
            "returning": True,
            "sessions_30d": 9,
            "lifetime_value": {"amount": 124_370, "currency": "EUR"},
            "favourite_categories": ["mats", "sleeping-bags", "tents"],
            "newsletter": True,
        },
        (),
        (
            (210, "TENT-014", "purchase"),
            (210, "CAMP-002", "purchase"),
            (47, "BAGS-014", "purchase"),
            (47, "MATS-014", "purchase"),
            (20, "BAGS-003", "view"),
            (20, "BAGS-010", "view"),
            (16, "TENT-011", "view"),
            (16, "TENT-006", "view"),
            (9, "MATS-005", "view"),
            (9, "MATS-001", "view"),
            (9, "BAGS-016", "view"),
            (5, "BAGS-003", "cart"),
            (5, "BAGS-009", "view"),
            (2, "MATS-001", "cart"),
            (1, "TENT-012", "view"),
        ),
        ("BAGS-003", "MATS-001"),
    ),
    (
        "edda",
        {
            "first_name": "Edda",
            "tier": "silver",
            "points": 338,
            "returning": True,
            "sessions_30d": 1,
            "lifetime_value": {"amount": 33_880, "currency": "EUR"},
            "favourite_categories": ["footwear", "jackets"],
            "newsletter": False,
        },
        (),
        (
            (441, "FOOT-002", "view"),
            (426, "FOOT-002", "purchase"),
            (426, "FOOT-015", "purchase"),
            (426, "LAYR-014", "purchase"),
            (2, "JACK-001", "view"),
            (2, "JACK-008", "view"),
        ),
        (),
    ),
    (
        "tomas",
        {
            "first_name": "Tomás",
            "tier": "none",
            "points": 96,
            "returning": True,
            "sessions_30d": 4,
            "lifetime_value": {"amount": 9_670, "currency": "EUR"},
            "favourite_categories": ["camp", "lights", "stoves"],
            "newsletter": False,
        },
        ("deal_seekers",),
        (
            (33, "STOV-005", "view"),
            (7, "STOV-005", "purchase"),
            (7, "STOV-014", "purchase"),
            (3, "LITE-009", "view"),
            (3, "CAMP-010", "view"),
            (1, "CAMP-010", "cart"),
        ),
        ("CAMP-010", "STOV-013"),
    ),
    (
        "noor",
        {
            "first_name": "Noor",
            "tier": "gold",
            "points": 879,
            "returning": True,
            "sessions_30d": 6,
            "lifetime_value": {"amount": 87_900, "currency": "EUR"},
            "favourite_categories": ["jackets", "packs"],
            "newsletter": True,
        },
        (),
        (
            (60, "JACK-003", "purchase"),
            (60, "LAYR-005", "purchase"),
            (3, "PACK-004", "view"),
            (3, "PACK-004", "cart"),
        ),
        ("PACK-004",),
    ),
)
"""A handful of visitors with a story; `personas.yaml` tells it."""
