"""Nobody is taken for another visitor, and no secret is compared in a way that tells how much of it was right."""

import hmac
from collections.abc import Callable

import pytest
from itsdangerous import Signer, URLSafeSerializer

from tessera.renderer.core import visitor as identity
from tests.security.shop import SECRETS
from tests.support.client import EDGE_SECRET, SECRET, Client

CONSENT = "tessera_consent=granted"


def forged(client: Client) -> dict[str, dict[str, str]]:
    """Ways to pass for ann without her cookie."""
    bobs = client.headers("bob")["cookie"].rpartition("=")[2]
    anns = client.headers("ann")["cookie"].rpartition("=")[2]
    other_salt = Signer(SECRET, salt="tessera.preview").sign("ann").decode()
    told = {"x-tessera-visitor": "ann"}
    return {
        "unsigned": {"cookie": f"{CONSENT}; tessera_visitor=ann"},
        "another's signature": {"cookie": f"{CONSENT}; tessera_visitor=ann.{bobs.partition('.')[2]}"},
        "an empty signature": {"cookie": f"{CONSENT}; tessera_visitor=ann."},
        "another key": {"cookie": f"{CONSENT}; tessera_visitor={Signer('x' * 16).sign('ann').decode()}"},
        "made for something else": {"cookie": f"{CONSENT}; tessera_visitor={other_salt}"},
        "one letter off": {"cookie": f"{CONSENT}; tessera_visitor={anns[:-1]}{'A' if anns[-1] != 'A' else 'B'}"},
        "in the other case": {"cookie": f"{CONSENT}; tessera_visitor={anns.upper()}"},
        "no consent": {"cookie": f"tessera_visitor={anns}"},
        "consent withdrawn": {"cookie": f"tessera_consent=denied; {CONSENT}; tessera_visitor={anns}"},
        "after bob's own": {"cookie": f"{CONSENT}; tessera_visitor={bobs}; tessera_visitor={anns}"},
        "named by a stranger": {"cookie": CONSENT, **told},
        "an empty edge secret": {"cookie": CONSENT, **told, "x-tessera-edge-secret": ""},
        "part of the edge's secret": {"cookie": CONSENT, **told, "x-tessera-edge-secret": EDGE_SECRET[:-1]},
        "the other secret": {"cookie": CONSENT, **told, "x-tessera-edge-secret": SECRET},
        "a secret that is no text": {"cookie": CONSENT, **told, "x-tessera-edge-secret": "\xff\xfe"},
    }


async def test_nobody_passes_for_another(client: Client) -> None:
    assert SECRETS["ann"] in (await client.get("/fragments/home/name", "ann")).text
    for path in ("/fragments/home/name", "/pages/home", "/podium/home/name/content"):
        for way, headers in forged(client).items():
            sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
            reply = await client.http.get(path, headers=sent)
            assert SECRETS["ann"] not in reply.text, way


async def test_nobody_passes_for_another_in_a_batch(client: Client) -> None:
    wanted = [{"page": "home", "slot": "name", "visitor": "ann"}]
    for way, headers in forged(client).items():
        sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        reply = await client.http.post("/fragments", json={"fragments": wanted}, headers=sent)
        assert SECRETS["ann"] not in reply.text, way


async def test_an_id_is_drawn_never_chosen(client: Client) -> None:
    ids = set()
    for chosen in ("ann", "ann.x"):
        reply = await client.http.post("/visitor", headers={"cookie": f"{CONSENT}; tessera_visitor={chosen}"})
        ids.add(reply.cookies["tessera_visitor"].rpartition(".")[0])
        assert "HttpOnly" in reply.headers["set-cookie"]
        assert "Secure" in reply.headers["set-cookie"]
    assert len(ids) == 2
    assert ids.isdisjoint(SECRETS)


async def test_a_cart_counts_only_with_the_shops_signature(client: Client) -> None:
    forged_cart = URLSafeSerializer("x" * 16, signer_kwargs={"key_derivation": "none", "digest_method": "sha256"})
    plain = await client.get("/context/home", "bob")
    for cart in (str(forged_cart.dumps({"value": 1})), "e30.", ".", "\xff"):
        sent = {**client.headers("bob"), "x-tessera-cart": cart}
        reply = await client.http.get(
            "/context/home", headers={k.encode(): v.encode("latin-1") for k, v in sent.items()}
        )
        assert reply.headers == plain.headers


@pytest.mark.parametrize(
    ("module", "path", "headers"),
    [
        (identity, "/fragments/home/name", {"x-tessera-edge-secret": "guess"}),
        (hmac, "/fragments/home/tier", {"x-tessera-digest": "dguess"}),
        (hmac, "/fragments/home/name", {"cookie": f"{CONSENT}; tessera_visitor=ann.guessgue"}),
    ],
    ids=["the edge's secret", "a digest", "a visitor's signature"],
)
async def test_secrets_are_compared_in_constant_time(
    client: Client, monkeypatch: pytest.MonkeyPatch, module: object, path: str, headers: dict[str, str]
) -> None:
    compared: list[bytes | str] = []
    real: Callable[[bytes, bytes], bool] = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.extend((one, other))
        return real(one, other)

    monkeypatch.setattr(module, "compare_digest", watched)
    monkeypatch.setattr("itsdangerous.signer.hmac.compare_digest", watched)
    await client.http.get(path, headers=headers)
    assert len(compared) >= 2
