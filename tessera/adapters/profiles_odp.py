"""Profiles from Optimizely Data Platform (ODP), by its GraphQL.

Source: https://docs.developers.optimizely.com/optimizely-data-platform/reference/graphql, and how Optimizely's own SDKs
ask for a visitor's audiences.
"""

from http import HTTPStatus

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import Call, ask_json, at
from tessera.adapters.platforms import SOURCE, object_at
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import Profile

NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
"""Of anything in GraphQL."""

UNKNOWN = ("INVALID_IDENTIFIER_EXCEPTION", "InvalidIdentifierException")
"""What an error's code, or its classification, says of a visitor who is not known."""


class OdpProfilesOptions(Options):
    """Whose account it is, and what is asked."""

    key_variable: str = Field(description="Environment variable with the API key; the private one, to read attributes")
    audiences: dict[str, str] = Field(
        min_length=1, description="Segment of the rules to ODP's name of it; ODP is asked for these and no others"
    )
    url: str = Field(
        "https://api.zaius.com",
        pattern="^https?://",
        description="Address of ODP's API, which is another in each region",
    )
    identifier: str = Field("fs_user_id", pattern=NAME, description="Kind of identifier that a visitor id is")
    attributes: dict[str, str] = Field({}, description="Trait to the customer's field that holds it")


class OdpProfiles:
    """Implements `Profiles`."""

    Options = OdpProfilesOptions

    def __init__(self, options: OdpProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._url = options.url.rstrip("/") + "/v3/graphql"
        self._headers = {"x-api-key": secret(options.key_variable) or ""}

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for the audiences that the visitor qualifies for, and for the attributes that are wanted."""
        fields = {trait: field for trait, field in self._options.attributes.items() if trait in traits}
        body = {
            "query": self._query(frozenset(fields.values())),
            "variables": {"id": visitor_id, "audiences": list(self._options.audiences.values())},
        }
        call = Call("POST", self._url, self._headers, body)
        document = object_at(
            (await ask_json(self._client, SOURCE, call, (HTTPStatus.BAD_REQUEST,))).document, "the reply"
        )
        if _is_unknown(document.get("errors")):
            return Profile(status="missing")
        customer = at(document, "data.customer")
        if document.get("errors") or not isinstance(customer, dict):
            raise SourceGarbled(SOURCE, "GraphQL answered with errors, or without a customer")
        qualified = _qualified(at(customer, "audiences.edges"))
        return Profile(
            {trait: customer[field] for trait, field in fields.items() if customer.get(field) is not None},
            frozenset(ours for ours, theirs in self._options.audiences.items() if theirs in qualified),
            ids={self._options.identifier: visitor_id},
        )

    def _query(self, fields: frozenset[str]) -> str:
        attributes = " ".join(sorted(fields))
        return (
            f"query($id: String, $audiences: [String]) {{customer({self._options.identifier}: $id) {{{attributes} "
            "audiences(subset: $audiences) {edges {node {name state}}}}}"
        )


def _is_unknown(errors: object) -> bool:
    """Tell whether the errors say that there is no such visitor."""
    if not isinstance(errors, list):
        return False
    said = [at(each, f"extensions.{name}") for each in errors for name in ("code", "classification")]
    return any(each in UNKNOWN for each in said)


def _qualified(edges: object) -> frozenset[object]:
    if not isinstance(edges, list):
        raise SourceGarbled(SOURCE, "`data.customer.audiences.edges` is not a list")
    return frozenset(str(at(each, "node.name")) for each in edges if at(each, "node.state") == "qualified")
