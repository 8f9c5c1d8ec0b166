"""Made-up values of declared facts, for trying things out with: each of its type, and of what is allowed."""

from datetime import datetime, timedelta
from decimal import Decimal

from tessera.rules.facts import Fact, Value
from tessera.rules.values import Location, Version

TEXT = "Sample"


def sample(fact: Fact, now: datetime) -> Value:
    """Return a value that a fact may have; the same one at each call with the same moment."""
    match fact.type:
        case "boolean":
            return True
        case "integer":
            return 3
        case "decimal":
            return Decimal("4.5")
        case "money":
            return 19_900
        case "string" | "enumeration":
            return fact.one_of[-1] if fact.one_of else TEXT
        case "set":
            return frozenset(fact.one_of or (TEXT,))
        case "timestamp":
            return now - timedelta(days=3)
        case "duration":
            return timedelta(hours=2)
        case "version":
            return Version.parse("1.2.3")
        case "location":
            return Location(52.52, 13.4)
