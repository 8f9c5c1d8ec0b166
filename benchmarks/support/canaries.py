"""Canaries: words in what upstreams tell of a visitor, by which it shows whose data stand in an answer."""

import re

OF = re.compile(rb"\bof-(v\d+)-")
ASKED_BY = re.compile(rb"tessera_visitor=(v\d+)\.")
END = b"</html>"


def canary(visitor: str, source: str) -> str:
    """Return the word that ``source`` puts into what it tells of a visitor, ``v<number>``."""
    return f"of-{visitor}-{source}"


def is_whole(body: bytes) -> bool:
    """Tell whether an answer is a page from its beginning to its end."""
    return body.startswith(b"<!doctype html>") and body.rstrip().endswith(END)


def strangers(request: bytes, body: bytes) -> set[str]:
    """Return the visitors whose data stand in an answer to another, who is named in the request's cookie."""
    asked_by = ASKED_BY.search(request)
    own = {asked_by[1]} if asked_by else set()
    return {each.decode() for each in set(OF.findall(body)) - own}
