"""What the administrative routes share: who may ask them, and how they refuse."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse

NO_STORE = {"cache-control": "no-store"}


def bears(http: Request, token: str) -> bool:
    """Tell whether a request carries the admin token (RFC 6750, section 2.1), in the same time whatever it carries."""
    scheme, _, carried = http.headers.get("authorization", "").partition(" ")
    return hmac.compare_digest(carried.strip().encode(), token.encode()) and scheme.lower() == "bearer"


def token_needed() -> JSONResponse:
    """Refuse a request that does not carry it."""
    return problem(401, "the admin token is needed", {"www-authenticate": "Bearer"})


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Refuse a request in words."""
    return JSONResponse({"error": detail}, status, NO_STORE | (headers or {}))
