"""Parameter pollution: of what is repeated the first counts, what is not declared counts for nothing."""

from tests.security.shop import SECRETS
from tests.support.client import EDGE_SECRET, Client

FIRST_COUNTS = [
    ("q=a&q=b", "<i>a </i>"),
    ("q=a&Q=b&q[]=c&q%00=d", "<i>a </i>"),
    ("Q=b", "<i> </i>"),
    ("q[]=a&q.x=b", "<i> </i>"),
    ("q=a;q=b", "<i>a;q=b </i>"),
    ("%71=a", "<i>a </i>"),
    ("q=a%26q=b", "<i>a&amp;q=b </i>"),
    ("n=1&n=2", "<i> 1</i>"),
    ("n=x&n=2", "<i> </i>"),
    ("q=&q=b", "<i> </i>"),
    ("&&&=&=x&q=a", "<i>a </i>"),
    ("&".join(f"x{each}=1" for each in range(60)) + "&q=a", "<i> </i>"),
    ("q=%ff%fe", "<i>\ufffd\ufffd </i>"),
    ("__proto__=x&constructor=y&q=a", "<i>a </i>"),
]
UNDECLARED = [
    "utm_source=x",
    "force=colours.red",
    "explain",
    "explain=1&tessera_preview=x",
    "visitor=ann",
    "x-tessera-visitor=ann",
]


async def test_the_first_counts(client: Client) -> None:
    for query, shown in FIRST_COUNTS:
        reply = await client.http.get(f"http://test/fragments/home/echo?{query}")
        assert (reply.status_code, reply.text) == (200, shown), query


async def test_what_is_not_declared_changes_nothing(client: Client) -> None:
    plain = await client.get("/fragments/home/split", "bob")
    for query in UNDECLARED:
        asked = await client.get(f"/fragments/home/split?{query}", "bob")
        assert asked.content == plain.content, query
    assert len(client.world.exposures) == 0


async def test_a_repeated_header_is_one(client: Client) -> None:
    guessed = [
        ("x-tessera-edge-secret", "guessed"),
        ("x-tessera-visitor", "ann"),
        ("cookie", "tessera_consent=granted"),
    ]
    for sent in (guessed, [*guessed, *guessed], [("x-tessera-edge-secret", EDGE_SECRET), *guessed]):
        reply = await client.http.get("/fragments/home/name", headers=sent)
        assert SECRETS["ann"] not in reply.text


async def test_parameters_of_a_batch_are_read_like_those_of_a_query(client: Client) -> None:
    wanted = {"page": "home", "slot": "echo", "params": {"q": "a&q=b", "x": "y"}}
    (told,) = (await client.http.post("/fragments", json={"fragments": [wanted]})).json()["fragments"]
    assert told["body"] == "<i>a&amp;q=b </i>"
