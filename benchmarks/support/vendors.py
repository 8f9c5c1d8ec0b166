"""The upstreams of the benchmark's shop, in a process of their own, each of which misbehaves when told to.

What they tell of a visitor holds a canary of that visitor. The lists come over TLS where a folder for certificates is
named.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support.canaries import canary
from support.faulty import BEHAVIOURS, Faulty, bomb
from support.servers import bestsellers, profile

NAMES = ("profiles", "lists", "catalogue")
DEAD = "dead"
"""Nobody listens."""
UNTRUSTED = "untrusted"
"""The lists' certificate has expired."""
AUTHORITY = "authority.pem"


class Vendors:
    """The upstreams as whoever runs them sees them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.urls: Mapping[str, str] = self._said()

    def behave(self, *names: str, behaviour: str = "answer", share: float = 1.0) -> None:
        """Have some of them, all by default, behave so (see `support.faulty`) for a share of the requests."""
        self._tell({"names": names or NAMES, "behaviour": behaviour, "share": share})

    def calls(self) -> int:
        """Return how many requests they had in all."""
        return int(self._tell({"names": ()})["calls"])

    def _tell(self, order: Mapping[str, object]) -> Mapping[str, Any]:
        assert self._process.stdin is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return self._said()

    def _said(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        said: Mapping[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def vendors(certificates: Path | None = None) -> Iterator[Vendors]:
    """Run them until the end of the block."""
    command = [sys.executable, "-m", __name__, *([str(certificates)] if certificates else [])]
    found = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=found) as process:
        try:
            yield Vendors(process)
        finally:
            process.terminate()


def settings(urls: Mapping[str, str], **each: float) -> dict[str, str]:
    """Return the environment in which Tessera asks these upstreams, with settings that hold for ``each``."""
    chosen = {
        "TESSERA_PROFILES__URL": urls["profiles"] + "/profiles/{visitor_id}",
        "TESSERA_LISTS__URL": urls["lists"] + "/lists/{kind}?visitor={visitor_id}&count={count}",
        "TESSERA_LISTS__ITEM_ID": "sku",
        "TESSERA_CATALOGUE__URL": urls["catalogue"] + "/items?ids={ids}",
    }
    for name in NAMES:
        chosen[f"TESSERA_{name.upper()}__ADAPTER"] = "http"
        chosen |= {f"TESSERA_{name.upper()}__{setting.upper()}": str(value) for setting, value in each.items()}
    return chosen


def _profile(target: str) -> bytes:
    visitor = target.rpartition("/")[2]
    told = profile(visitor)
    traits = {**told["traits"], "first_name": canary(visitor, "profiles")}
    return json.dumps({**told, "traits": traits}).encode()


def _list(target: str) -> bytes:
    query = parse_qs(urlsplit(target).query)
    visitor = query.get("visitor", [""])[0]
    items = bestsellers()[: int(query["count"][0])]
    if visitor:
        items = [{**each, "sku": f"{canary(visitor, 'lists')}-{each['sku']}"} for each in items]
    return json.dumps(
        {"items": items if "catalogue" not in NAMES else [{"sku": each["sku"]} for each in items]}
    ).encode()


def _items(target: str) -> bytes:
    ids = unquote(parse_qs(urlsplit(target).query)["ids"][0]).split(",")
    like = bestsellers()[0]
    return json.dumps({"items": {sku: {**like, "sku": sku, "title": f"Tent {sku}"} for sku in ids}}).encode()


TOLD = {"profiles": _profile, "lists": _list, "catalogue": _items}


class _Certificates:
    """A certificate for the loopback address, and one of the same name that has expired, by an authority in a file."""

    def __init__(self, folder: Path) -> None:
        import trustme

        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / AUTHORITY))
        self._good = authority.issue_cert("127.0.0.1")
        self._expired = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.show(expired=False)

    def show(self, *, expired: bool) -> None:
        """Show one or the other to whoever connects from now on."""
        (self._expired if expired else self._good).configure_cert(self.context)


class _Vendor:
    """One upstream, which besides can be dead, and show a certificate that has expired."""

    def __init__(self, name: str, certificates: _Certificates | None) -> None:
        self._certificates = certificates
        self._behaves = "answer"
        self.faulty = Faulty(tell=TOLD[name], tls=certificates.context if certificates else None)

    async def behave(self, behaviour: str, share: float) -> None:
        """Behave so from now on, on connections that are open as on new ones."""
        before, self._behaves = self._behaves, behaviour
        if before != behaviour and {before, behaviour} & {DEAD, UNTRUSTED}:
            if before != DEAD:
                await self.faulty.stop()
            if self._certificates is not None:
                self._certificates.show(expired=behaviour == UNTRUSTED)
            if behaviour != DEAD:
                await self.faulty.start()
        self.faulty.behaviour = behaviour if behaviour in BEHAVIOURS else "answer"
        self.faulty.share = share


async def _serve(folder: Path | None) -> None:
    bomb()  # made before anybody waits for it
    certificates = _Certificates(folder) if folder else None
    served = {name: _Vendor(name, certificates if name == "lists" else None) for name in NAMES}
    for each in served.values():
        await each.faulty.start()
    print(json.dumps({name: each.faulty.url for name, each in served.items()}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        for name in order["names"]:
            await served[name].behave(order["behaviour"], order["share"])
        print(json.dumps({"calls": sum(each.faulty.calls for each in served.values())}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
