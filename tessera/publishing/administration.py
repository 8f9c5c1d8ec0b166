"""What the administrative routes that do something share: how they refuse."""

from starlette.responses import JSONResponse

NO_STORE = {"cache-control": "no-store"}


def problem(status: int, detail: str) -> JSONResponse:
    """Refuse a request in words."""
    return JSONResponse({"error": detail}, status, NO_STORE)
