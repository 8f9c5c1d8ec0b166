"""The platforms that profiles come from over HTTP: how each is set up, and what it answers in its own words."""

from dataclasses import dataclass
from typing import Any

import httpx

from tessera.adapters.base import Reach
from tessera.adapters.registry import adapter_of
from tessera.renderer.core.ports import PERSONALIZATION, Profile, Profiles

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


@dataclass(frozen=True)
class Vendor:
    """A platform: its adapter and settings, a good answer and the profile that it makes, and what is not one."""

    name: str
    settings: dict[str, Any]
    host: str
    good: Any
    profile: Profile
    unknown: httpx.Response | None
    wrong: tuple[Any, ...]

    def make(self, reach: Reach, **more: Any) -> Profiles:
        """Make the adapter."""
        adapter = adapter_of("profiles", self.name)
        profiles: Profiles = adapter(adapter.Options(**{**self.settings, **more}), reach)
        return profiles


GRANTED: dict[str, Any] = {PERSONALIZATION: "granted"}
VENDORS = [
    Vendor(
        "http",
        {"url": "https://cdp.example/{visitor_id}"},
        "https://cdp.example/",
        {"traits": {"tier": "gold", "x": 1}, "segments": ["vip"]},
        Profile({"tier": "gold"}, frozenset({"vip"})),
        httpx.Response(404),
        ({"traits": []}, {"segments": 7}),
    ),
    Vendor(
        "segment",
        {"space": "lg82", "token_variable": "VENDOR_TOKEN"},
        "https://profiles.segment.com/v1/spaces/lg82/",
        {"traits": {"tier": "gold", "vip": True, "lapsed": False}, "cursor": {"has_more": False, "next": ""}},
        Profile({"tier": "gold"}, frozenset({"vip"}), ids={"user_id": "u1"}),
        httpx.Response(404, json={"error": {"code": "not_found", "message": "Profile was not found."}}),
        ([], {"traits": []}, {"traits": "gold"}),
    ),
    Vendor(
        "mparticle",
        {"org": "1", "account": "2", "workspace": "3", "client_id_variable": "VENDOR_TOKEN"}
        | {"client_secret_variable": "VENDOR_TOKEN", "audiences": {"decor": "17918", "past": "17919", "long": "17920"}},
        "https://api.mparticle.com/userprofile/v1/",
        MPARTICLE,
        Profile({"tier": "gold", "ltv": "342.1"}, frozenset({"decor", "long"}), ids={"mpid": "9080350317581165000"}),
        httpx.Response(400, json={"errors": [{"message": "The profile is invalid."}]}),
        ([], {"user_attributes": []}, {"audience_memberships": {}}, {"audience_memberships": ["x"]}),
    ),
    Vendor(
        "rudderstack",
        {"destination": "d1", "token_variable": "VENDOR_TOKEN"},
        "https://profiles.rudderstack.com/v2/activation",
        {"entity": "user", "id": {}, "data": {"all": {"tier": "gold", "vip": True}, "more": {"tier": "no", "ltv": 9}}},
        Profile({"tier": "gold", "ltv": 9}, frozenset({"vip"}), ids={"user_id": "u1"}),
        httpx.Response(200, json={"entity": "user", "id": {"type": "user_id", "value": "u1"}, "data": {}}),
        ([], {"data": []}, {"data": {"all": 7}}),
    ),
    Vendor(
        "unomi",
        {"url": "https://unomi.example", "scope": "shop", "consent": "shop/personalization"},
        "https://unomi.example/cxs/context.json",
        UNOMI,
        Profile({"tier": "gold"}, frozenset({"vip"}), ids={"profile_id": "18afb5e3"}, consents=GRANTED),
        None,  # Unomi makes one
        ([], {"profileProperties": []}, {"profileSegments": 7}, {"consents": []}),
    ),
    Vendor(
        "odp",
        {"key_variable": "VENDOR_TOKEN", "audiences": {"bought": "has_bought", "lapsed": "lapsed"}}
        | {"attributes": {"tier": "first_name"}},
        "https://api.zaius.com/v3/graphql",
        ODP,
        Profile({"tier": "Ann"}, frozenset({"bought"}), ids={"fs_user_id": "u1"}),
        httpx.Response(200, json=NO_CUSTOMER),
        ([], {"data": {}}, {"errors": [{"message": "no"}]}, {"errors": "no"}, {"data": {"customer": {}}}),
    ),
]  # fmt: skip
BY_NAME = {vendor.name: vendor for vendor in VENDORS}
