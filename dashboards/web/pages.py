"""Answers in HTML: language, visitor, security headers and templates, the same for every page."""

from datetime import timedelta
from importlib.resources import files
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

from dashboards.web import language
from dashboards.web.page import UTC_ZONE, Page
from dashboards.web.protocols import Door, PlantView
from dashboards.web.static_files import static_url

SESSION = "plantroom_session"
YEAR = int(timedelta(days=365).total_seconds())
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _load(name: str) -> str | None:
    source = files("dashboards").joinpath("web/templates", name)
    return source.read_text(encoding="utf-8") if source.is_file() else None


class Pages:
    """Shows templates about a plant to whoever the door lets in."""

    def __init__(self, view: PlantView, door: Door) -> None:
        self.view, self.door = view, door
        self._templates = Environment(
            loader=FunctionLoader(_load),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["static_url"] = static_url

    def visitor(self, request: Request) -> str:
        """Who asks, by session cookie or bearer token; sends everyone else to the sign-in page."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = self.door.open_session(token.strip()) if kind.lower() == "bearer" else None
        who = self.door.who(bearer or request.cookies.get(SESSION, ""))
        if who is None:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            wanted = f"?next={quote(target)}" if request.method == "GET" else ""
            raise HTTPException(303, headers={"Location": f"/login{wanted}"})
        return who

    def page(self, request: Request, user: str | None = None, building_id: str | None = None) -> Page:
        """The page's words, clock and zone; `building_id` says whose zone, else the first building's."""
        chosen = language.choose_language(
            request.query_params.get("lang"),
            request.cookies.get(language.COOKIE),
            request.headers.get("accept-language"),
        )
        registry = self.view.registry()
        building = registry.buildings.get(building_id or "") or next(iter(registry.buildings.values()), None)
        return Page(
            words=language.Words(chosen),
            clock=self.view.clock(),
            registry=registry,
            view=self.view,
            zone=building.zone if building else UTC_ZONE,
            user=user,
            path=request.url.path,
        )

    def show(self, request: Request, page: Page, name: str, status: int = 200, **shown: object) -> HTMLResponse:
        """A template filled in, with the security headers; keeps the language that was asked for."""
        text = self._templates.get_template(name).render(page=page, t=page.words, **shown)
        response = HTMLResponse(text, status, headers=HEADERS | {"Content-Language": page.words.language})
        if request.query_params.get("lang") in language.LANGUAGES:
            response.set_cookie(language.COOKIE, page.words.language, max_age=YEAR, samesite="lax")
        return response

    def refuse(self, request: Request, user: str | None, status: int, key: str, **filled: object) -> HTMLResponse:
        """A page that says what is not there or not allowed, and how to go on."""
        page = self.page(request, user)
        return self.show(request, page, "error.html", status, message=page.words(key, **filled))

    @staticmethod
    def see_other(path: str) -> RedirectResponse:
        """Go on to another page after a form."""
        return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
