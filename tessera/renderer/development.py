"""Development only: the list of personas at `/`, and the click that shows the shop as one of them."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tessera.renderer.core.visitor import Identity
from tessera.renderer.personas import Persona
from tessera.renderer.reload import LiveSite
from tessera.renderer.settings_serving import Visitors
from tessera.renderer.understand import PERSONA_COOKIE

INDEX = "_personas.jinja"
NO_STORE = {"cache-control": "no-store"}


class Development:
    """Handlers that are mounted in development only."""

    def __init__(self, site: LiveSite, personas: Mapping[str, Persona], identity: Identity, visitors: Visitors) -> None:
        self._site = site
        self._personas = personas
        self._identity = identity
        self._visitors = visitors

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [
            Route("/", self.index, methods=["GET"]),
            Route("/personas/{name}", self.become, methods=["GET"]),
        ]

    async def index(self, _http: HttpRequest) -> Response:
        """List the personas."""
        site = self._site.current()
        template = site.catalog.templates.get(INDEX)
        if template is None:
            links = "\n".join(f"/pages/{name}" for name in site.pages)
            return PlainTextResponse(f"This site has the pages\n{links}\n", headers=NO_STORE)
        inputs = {"personas": [persona.model_dump() for persona in self._personas.values()]}
        return HTMLResponse(template.render(inputs), headers=NO_STORE)

    async def become(self, http: HttpRequest) -> Response:
        """Set the cookies that make the browser a persona, and go to a page of the shop."""
        persona = self._personas.get(http.path_params["name"])
        if persona is None:
            return PlainTextResponse("There is no such persona.\n", 404, NO_STORE)
        target = http.query_params.get("to", "/pages/home")
        response = RedirectResponse(target if is_local(target) else "/pages/home", 303, NO_STORE)
        response.set_cookie(PERSONA_COOKIE, persona.name, httponly=True, samesite="lax")
        response.set_cookie(
            self._visitors.consent_cookie,
            self._visitors.consent_granted if persona.consent == "granted" else persona.consent,
            samesite="lax",
        )
        if persona.visitor is None:
            response.delete_cookie(self._visitors.cookie, httponly=True, samesite="lax")
        else:
            signed = self._identity.sign(persona.visitor)
            response.set_cookie(self._visitors.cookie, signed, httponly=True, samesite="lax")
        return response


def is_local(target: str) -> bool:
    """Tell whether a redirect target is a path of this site: one slash, no host, no backslash or control character."""
    return target.startswith("/") and not target.startswith("//") and target.isprintable() and "\\" not in target
