"""What the four fragments show: one visitor, a shop with its departments, and twelve items."""

from typing import Any

DEPARTMENTS = ("Tents", "Packs & bags", "Sleeping", "Cooking", "Clothing", "Light")
CATEGORIES = ("Ultralight", "Winter", "Family <4", "Mended & used")
TOPICS = ("New", "Under 50", "R & D")


def inputs() -> dict[str, Any]:
    """Return the inputs of all four. Texts hold `&` and `<`, which every engine escapes alike, as they do not `/`."""
    return {
        "visitor": {"first_name": "Ann <3", "tier": "Gold", "points": 1280, "visits": 7},
        "experiment": {"name": "hero-copy", "arm": "urgency"},
        "shop": {"name": "Fell & Co", "city": "Kempten"},
        "page": {"name": "home", "department": "d1", "category": "c1"},
        "hero": {
            "headline": "Carry less. Walk further.",
            "text": "The winter range is in: lighter than last year’s & mended in our own workshop.",
            "image": "ridge",
            "alt": "A ridge at dawn",
        },
        "cta": {
            "id": "discover",
            "text": "See what is new & light",
            "url": "winter",
            "goal": "browse",
            "message": "Free returns within 60 days",
        },
        "rail": {"title": "What others take along"},
        "promises": [
            {"kind": kind, "title": title, "text": "For as long as you own it & walk with it."}
            for kind, title in (("repair", "Repairs"), ("return", "Returns"), ("ship", "By bike & train"))
        ],
        "items": [_item(number) for number in range(12)],
        "departments": [
            {"slug": f"d{number}", "name": name, "categories": [_category(each) for each in range(len(CATEGORIES))]}
            for number, name in enumerate(DEPARTMENTS)
        ],
    }


def _item(number: int) -> dict[str, Any]:
    return {
        "sku": f"SKU-{number}",
        "slug": f"tent-{number}",
        "title": f"Tent & pegs number {number}",
        "brand": "Fell & Co",
        "image": f"tent-{number}",
        "price": f"€{190 + number}.00",
        "was": f"€{240 + number}.00" if number % 3 == 0 else None,
        "tags": ["new", "light & dry"][: number % 3],
        "stock": number,
        "rating": 4 if number % 2 else None,
        "reviews": 10 * number,
    }


def _category(number: int) -> dict[str, Any]:
    topics = [{"slug": f"t{each}", "name": name} for each, name in enumerate(TOPICS)]
    return {
        "slug": f"c{number}",
        "name": CATEGORIES[number],
        "count": 12 * number,
        "topics": topics if number % 2 else [],
    }
