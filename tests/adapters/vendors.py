"""The platforms that profiles come from over HTTP: how each is set up, and what it answers in its own words."""

from collections.abc import Mapping
from typing import Any

LOGIN = "https://sso.auth.mparticle.com/"
TOKEN = {"access_token": "t0ken", "expires_in": 28800, "token_type": "Bearer"}
MPARTICLE: dict[str, Any] = {
    "mpid": 9080350317581165000,
    "is_opted_out": False,
    "user_attributes": {"ltv": "342.1", "churn": "4", "tier": "gold"},
    "audience_memberships": [
        {"audience_id": 17918, "audience_name": "Decor", "expiration_timestamp_ms": None},
        {"audience_id": 17919, "audience_name": "Past", "expiration_timestamp_ms": 1575301484215},
        {"audience_id": 17920, "audience_name": "Long", "expiration_timestamp_ms": 4102444800000},
    ],
}
UNOMI: dict[str, Any] = {
    "profileId": "18afb5e3",
    "profileProperties": {"tier": "gold", "email": "a@example.com"},
    "profileSegments": ["vip"],
    "anonymousBrowsing": False,
    "consents": {"shop/personalization": {"status": "GRANTED"}},
}
ODP = {"data": {"customer": {"first_name": "Ann", "audiences": {"edges": [
    {"node": {"name": "has_bought", "state": "qualified"}}, {"node": {"name": "lapsed", "state": "not_qualified"}},
]}}}}  # fmt: skip
NO_CUSTOMER = {"errors": [{"message": "…", "extensions": {"code": "INVALID_IDENTIFIER_EXCEPTION"}}], "data": None}

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "segment": {"space": "lg82", "token_variable": "VENDOR_TOKEN"},
    "mparticle": {
        "org": "1",
        "account": "2",
        "workspace": "3",
        "client_id_variable": "VENDOR_TOKEN",
        "client_secret_variable": "VENDOR_TOKEN",
        "audiences": {"decor": "17918", "past": "17919", "long": "17920"},
    },
    "rudderstack": {"destination": "d1", "token_variable": "VENDOR_TOKEN"},
    "unomi": {"url": "https://unomi.example", "scope": "shop", "consent": "shop/personalization"},
    "odp": {
        "key_variable": "VENDOR_TOKEN",
        "audiences": {"bought": "has_bought", "lapsed": "lapsed"},
        "attributes": {"tier": "first_name"},
    },
}
