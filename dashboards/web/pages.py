"""Answers in HTML: language, visitor, security headers and templates, the same for every page."""

import html
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.resources import files
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

from dashboards.web import language
from dashboards.web.change_feed import ChangeFeed
from dashboards.web.grafana_links import GrafanaLinks
from dashboards.web.page import UTC_ZONE, Page
from dashboards.web.protocols import PlantView
from dashboards.web.static_files import static_file, static_url
from dashboards.web.visitor import Door, Source, Visitor

SESSION = "plantroom_session"
HINT = "plantroom_hint"
MOST_HINT = 3_500
"""Characters; browsers keep cookies of four thousand."""
VERB_ROUTE = "/work-orders/{order_id}/{verb}"
NEW_QUOTE_ROUTE = "/work-orders/{order_id}/quotes/new"
QUOTE_ROUTE = "/work-orders/{order_id}/quotes/{quote_id}/{verb}"
YEAR = int(timedelta(days=365).total_seconds())
MONTH = int(timedelta(days=30).total_seconds())
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class DeniedError(Exception):
    """A page the visitor may not see; `answer` says so in HTML."""

    def __init__(self, answer: HTMLResponse) -> None:
        super().__init__("denied")
        self.answer = answer


def show_denials(app: FastAPI) -> None:
    """Answer a denied page with a page."""

    @app.exception_handler(DeniedError)
    def _denied(request: Request, error: DeniedError) -> HTMLResponse:  # noqa: ARG001 - Starlette's signature
        return error.answer


def show_missing(pages: "Pages", app: FastAPI, programs: Callable[[Request, HTTPException], Response]) -> None:
    """Answer a person who asks for an address that leads nowhere with a page; `programs` answers everybody else."""

    @app.exception_handler(404)
    def _missing(request: Request, error: HTTPException) -> Response:
        nowhere = request.scope.get("route") is None and not request.url.path.startswith("/api/")
        if nowhere and "text/html" in request.headers.get("accept", ""):
            return pages.refuse(request, None, 404, "error.no.page")
        return programs(request, error)


def source_of(request: Request) -> Source:
    """Where a request comes from, for the record of who tried to sign in."""
    address = request.client.host if request.client is not None else ""
    return Source(address, request.headers.get("user-agent", "")[:200])


def keep_session(request: Request, response: Response, session: str) -> None:
    """Put a session's name into the cookie; scripts cannot read it, other sites do not send it."""
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION, session, max_age=MONTH, httponly=True, samesite="strict", secure=secure)


def keep_hint(request: Request, response: Response, hint: str) -> None:
    """Remember by whose word somebody came in through an identity provider, to sign her out there too. It is sent with
    a sign-out only; one that is too long for a cookie stands for itself."""
    kept = hint if 0 < len(hint) <= MOST_HINT else "-"
    secure = request.url.scheme == "https"
    response.set_cookie(HINT, kept, max_age=MONTH, path="/logout", httponly=True, samesite="strict", secure=secure)


def go_on(address: str) -> HTMLResponse:
    """A page that goes on by itself, where a redirect would count as coming from another site, or be held back by our
    own policy for forms."""
    shown = html.escape(address, quote=True)
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Plantroom</title>'
        f'<meta http-equiv="refresh" content="0;url={shown}"></head><body><p><a href="{shown}">→</a></p></body></html>'
    )
    return HTMLResponse(text, headers=HEADERS)


def _load(name: str) -> str | None:
    source = files("dashboards").joinpath("web/templates", name)
    return source.read_text(encoding="utf-8") if source.is_file() else None


def _icon() -> str:
    """The icon as a part of the page: one request less."""
    drawn = static_file("icon.svg").decode("utf-8").strip()
    return drawn.replace("<svg ", '<svg width="22" height="22" aria-hidden="true" focusable="false" ', 1)


class Pages:
    """Shows templates about a plant to whoever the door lets in."""

    def __init__(
        self,
        view: PlantView,
        door: Door,
        *,
        stickers: bool = False,
        rule_pages: bool = False,
        hidden: frozenset[str] = frozenset(),
        provider: str = "",
        feed: ChangeFeed | None = None,
        names: Callable[[str], str] = str,
        grafana: str = "",
        tell: Callable[[str, language.Words], str] | None = None,
    ) -> None:
        """`names` gives a person's name for the one she signs in or is assigned by, or that itself; `tell` says a
        refusal in the reader's language."""
        self._view, self.door, self._feed, self._names, self._tell = view, door, feed, names, tell
        self._templates = Environment(
            loader=FunctionLoader(_load),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "static_url": static_url,
            "stickers": stickers,
            "rule_pages": rule_pages,
            "icon": _icon(),
            "hidden": hidden,
            "provider": provider,
            "grafana": GrafanaLinks(grafana),
        }

    def visitor(self, request: Request) -> Visitor:
        """Who asks, by session cookie or bearer token; sends everyone else to the sign-in page.

        Raises DeniedError, which answers with a page, when she may not see what she asks for.
        """
        known = getattr(request.state, "visitor", None)
        if isinstance(known, Visitor):
            return known
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if kind.lower() == "bearer" else ""
        guest = self.door.visit(request.cookies.get(SESSION, ""), bearer)
        if guest is None:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            wanted = f"?next={quote(target)}" if request.method == "GET" else ""
            raise HTTPException(303, headers={"Location": f"/login{wanted}"})
        request.state.fresh_session = guest.fresh
        request.state.seen = self._feed.token if self._feed is not None else ""  # before anything is read
        route = str(getattr(request.scope.get("route"), "path", request.url.path))
        if not self.door.may(guest.visitor, request.method, route, request.path_params):
            raise DeniedError(self.refuse(request, guest.visitor, 403, "error.denied", role=guest.visitor.role))
        request.state.visitor = guest.visitor
        return guest.visitor

    def may_look(self, request: Request, route: str, path: Mapping[str, object]) -> bool:
        """Whether somebody is signed in on a page that asks nobody, and may see this one."""
        guest = self.door.visit(request.cookies.get(SESSION, ""), "")
        if guest is None or not self.door.may(guest.visitor, "GET", route, path):
            return False
        request.state.fresh_session = guest.fresh
        return str(path.get("asset_id", "")) in self.view_for(guest.visitor).registry().assets

    def may_act(self, user: Visitor, verb: str) -> bool:
        """Whether she may apply this verb to an order."""
        return self.door.may(user, "POST", VERB_ROUTE, {"verb": verb})

    def may_decide(self, user: Visitor, verb: str) -> bool:
        """Whether she may do this to a quote."""
        return self.door.may(user, "POST", QUOTE_ROUTE, {"verb": verb})

    def may_quote(self, user: Visitor) -> bool:
        """Whether she may send the customer a quote."""
        return self.door.may(user, "POST", NEW_QUOTE_ROUTE, {})

    def view_for(self, user: Visitor | None) -> PlantView:
        """The plant as this visitor may see it."""
        return self._view.within(user.buildings if user is not None else None)

    def page(self, request: Request, user: Visitor | None = None, building_id: str | None = None) -> Page:
        """The page's words, clock and zone; `building_id` says whose zone, else the first building's."""
        chosen = language.choose_language(
            request.query_params.get("lang"),
            request.cookies.get(language.COOKIE) or (user.language if user is not None else None),
            request.headers.get("accept-language"),
        )
        view = self.view_for(user)
        registry = view.registry()
        building = registry.buildings.get(building_id or "") or next(iter(registry.buildings.values()), None)
        return Page(
            words=language.Words(chosen),
            clock=view.clock(),
            registry=registry,
            view=view,
            zone=building.zone if building else UTC_ZONE,
            user=user,
            path=request.url.path,
            seen=getattr(request.state, "seen", ""),
            names=self._names,
            tell=self._tell,
        )

    def show(self, request: Request, page: Page, name: str, status: int = 200, **shown: object) -> HTMLResponse:
        """A template filled in, with the security headers; keeps the language that was asked for."""
        if isinstance(refused := shown.get("refused"), str):
            shown["refused"] = page.refusal(refused)
        text = self._templates.get_template(name).render(page=page, t=page.words, **shown)
        response = HTMLResponse(
            text, status, headers=HEADERS | {"Content-Language": "zh" if page.words.chosen == "zh" else page.words.tag}
        )
        if request.query_params.get("lang") in language.LANGUAGES:
            response.set_cookie(language.COOKIE, page.words.chosen, max_age=YEAR, samesite="lax")
        return response

    def refuse(self, request: Request, user: Visitor | None, status: int, key: str, **filled: object) -> HTMLResponse:
        """A page that says what is not there or not allowed, and how to go on."""
        page = self.page(request, user)
        return self.show(request, page, "error.html", status, message=page.words(key, **filled))

    @staticmethod
    def see_other(path: str) -> RedirectResponse:
        """Go on to another page after a form."""
        return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
