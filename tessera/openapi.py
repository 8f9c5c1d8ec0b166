"""All routes of a site, as OpenAPI 3.1 describes them (spec.openapis.org/oas/v3.1.0).

Summaries, paths and methods come from the routes that are mounted, pages and slots from the site. What each of them
can answer stands here.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from tessera.publishing.purge_route import PurgeOrder
from tessera.renderer.batch import LINES, TYPES, Batch
from tessera.renderer.events import EventReport
from tessera.renderer.exposures import Report
from tessera.renderer.site import Site

HTML, JSON, PLAIN = "text/html", "application/json", "text/plain"
NO_STORE = {"cache-control": "no-store"}

ANSWERS: Mapping[str, Mapping[int, tuple[str, ...]]] = {
    "/fragments/{page}/{slot}": {
        200: ("The fragment", HTML),
        304: ("What the client holds is still right",),
        404: ("There is no such page or slot", PLAIN),
        503: ("A stand-in, to an includer who asks for failures", HTML),
    },
    "/pages/{page}": {
        200: ("The page", HTML),
        304: ("What the client holds is still right",),
        404: ("There is no such page, or it has no layout", PLAIN),
    },
    "/context/{page}": {
        204: ("Which copies are the visitor's, in a header",),
        404: ("There is no such page", PLAIN),
    },
    "/fragments": {
        200: ("All of them", *(each.partition(b";")[0].decode() for each in (*TYPES.values(), LINES))),
        400: ("This is no batch", PLAIN),
        413: ("The batch is too long", PLAIN),
    },
    "/visitor": {204: ("The visitor has an id",), 403: ("Consent is needed first", JSON)},
    "/exposures": {
        200: ("It had been recorded",),
        201: ("It is recorded",),
        204: ("It does not count",),
        400: ("This is no report", JSON),
        413: ("The report is too long", JSON),
        503: ("It could not be stored", JSON),
    },
    "/events": {
        201: ("It is kept",),
        204: ("Nobody asks for it",),
        400: ("This is no report", JSON),
        403: ("Another site's page told of it", JSON),
        413: ("The report is too long", JSON),
        503: ("It could not be stored", JSON),
    },
    "/preview": {
        303: ("The token is kept",),
        400: ("`to` is no path of this site", JSON),
        403: ("The token is no good", JSON),
    },
    "/healthz": {200: ("The process runs", PLAIN)},
    "/readyz": {200: ("The process can answer", JSON)},
    "/-/purge": {
        200: ("It is done everywhere", JSON),
        202: ("It is done, but where `waiting` says", JSON),
        400: ("This is no purge", JSON),
        401: ("A token is needed", PLAIN),
        403: ("No token is set", JSON),
        404: ("Not here", PLAIN),
        413: ("The purge is too long", JSON),
        503: ("The purge could not be put up", JSON),
    },
    "/-/visitors/{visitor_id}": {
        200: ("It is done everywhere", JSON),
        202: ("It is done, but where `waiting` says", JSON),
        400: ("No visitor is named, or `suppress` says neither", JSON),
        401: ("A token is needed", PLAIN),
        403: ("No token is set, or no secret to suppress with", JSON),
        404: ("Not here", PLAIN),
        503: ("It could not be done here, or where `failed` says", JSON),
    },
    "/-/metrics": {200: ("What is counted", PLAIN), 401: ("A token is needed", PLAIN), 404: ("Not here", PLAIN)},
    "/-/openapi.json": {200: ("This", JSON), 401: ("A token is needed", PLAIN), 404: ("Not here", PLAIN)},
}
"""What each route can answer: a description by status, and the media types of the body, if there is one."""
BODIES: Mapping[str, type[BaseModel]] = {
    "/fragments": Batch,
    "/exposures": Report,
    "/events": EventReport,
    "/-/purge": PurgeOrder,
}
QUERIES: Mapping[str, Sequence[str]] = {
    "/fragments/{page}/{slot}": ("on_error", "turbo_frame"),
    "/preview": ("token", "to"),
    "/-/visitors/{visitor_id}": ("suppress", "by"),
}
IN_FRONT: Mapping[str, tuple[str, str]] = {
    "/fragments/{page}/{slot}": ("get", "The HTML of one slot"),
    "/pages/{page}": ("get", "The whole page, in its layout"),
    "/context/{page}": ("get", "Which copies of the page's fragments are a visitor's, for an edge"),
    "/fragments": ("post", "Many fragments in one request"),
}
"""The routes that `front` answers itself: their method, and what they are."""


def describe(site: Site, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Describe the routes that are in front, and those that are mounted."""
    paths = {path: {method: _operation(path, summary, site)} for path, (method, summary) in IN_FRONT.items()}
    for path, route in _flat(routes):
        if path in ANSWERS:
            summary = (inspect.getdoc(route.endpoint) or "").partition("\n")[0].partition(": `")[0]
            methods = sorted((route.methods or set()) - {"HEAD"})
            paths.setdefault(path, {}).update({method.lower(): _operation(path, summary, site) for method in methods})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tessera", "version": site.version},
        "paths": paths,
        "components": {"securitySchemes": {"admin": {"type": "http", "scheme": "bearer"}}},
    }


class OpenApi:
    """The route."""

    def __init__(self, described: Callable[[], dict[str, Any]]) -> None:
        self._described = described

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route("/openapi.json", self.tell, methods=["GET"])]

    async def tell(self, _http: HttpRequest) -> Response:
        """Describe all routes: `GET /-/openapi.json`."""
        return JSONResponse(self._described(), headers=NO_STORE)


def _flat(routes: Sequence[BaseRoute], before: str = "") -> Sequence[tuple[str, Route]]:
    found: list[tuple[str, Route]] = []
    for route in routes:
        if isinstance(route, Mount):
            found += _flat(route.routes, before + route.path)
        elif isinstance(route, Route):
            found.append((before + route.path_format, route))
    return found


def _operation(path: str, summary: str, site: Site) -> dict[str, Any]:
    slots = sorted({slot for page in site.pages.values() for slot in page.slots})
    values = {"page": sorted(site.pages), "slot": slots}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": known}}
        for name, known in values.items()
        if f"{{{name}}}" in path
    ]
    if "{visitor_id}" in path:
        parameters.append({"name": "visitor_id", "in": "path", "required": True, "schema": {"type": "string"}})
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in QUERIES.get(path, ())]
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {
            str(status): {"description": told, "content": {kind: {} for kind in kinds}}
            for status, (told, *kinds) in ANSWERS[path].items()
        },
    }
    if path in BODIES:
        schema = BODIES[path].model_json_schema(ref_template="#/components/schemas/{model}")
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _inlined(schema)}}}
    if path.startswith("/-/"):
        operation["security"] = [{"admin": []}]
    return operation


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Put definitions where they are referred to, so that each operation stands for itself."""
    definitions = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if reference is not None:
                return put(definitions[reference.rpartition("/")[2]])
            return {name: put(member) for name, member in value.items()}
        return [put(member) for member in value] if isinstance(value, list) else value

    inlined: dict[str, Any] = put(schema)
    return inlined
