"""The one HTTP application: the stages' routers behind a bearer token, pages behind a session, health, metrics."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import prometheus_client
from fastapi import APIRouter, Depends, FastAPI, Request, Response, params
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse

from dashboards.web.pages import keep_session
from plantroom import __version__
from plantroom.access import Gate
from plantroom.metrics import HttpMetrics
from plantroom.once import Once
from plantroom.refusals import show_refusals

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=(), usb=()",
}
BEHIND_TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""Said only to who came by TLS: a browser must not insist on it where there is none."""


@dataclass(frozen=True, slots=True)
class HttpParts:
    """What the application is assembled from. `ready` gives the reasons why it is not ready, empty when it is."""

    gate: Gate
    once: Once
    api_routers: Sequence[APIRouter]
    page_routers: Sequence[APIRouter]
    metrics: prometheus_client.CollectorRegistry
    ready: Callable[[], Sequence[str]]
    set_up: Sequence[Callable[[FastAPI], None]] = field(default=())


def create_app(parts: HttpParts) -> FastAPI:
    """The application, ready to be served."""
    app = FastAPI(
        title="Plantroom",
        version=__version__,
        description="Buildings, readings, findings and work orders. Instants are ISO 8601 in UTC.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    guarded: list[params.Depends] = [Depends(parts.gate.require)]
    for router in parts.api_routers:
        app.include_router(router, dependencies=[*guarded, Depends(parts.once.ask)])
    parts.once.install(app)
    for router in parts.page_routers:
        app.include_router(router, include_in_schema=False)
    app.include_router(_operations(app, parts, guarded))
    for set_up in parts.set_up:
        set_up(app)
    show_refusals(app)

    # Inside the other, which makes a stream of every answer: only whole ones are compressed, and no event waits for it.
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6)
    seconds = HttpMetrics(parts.metrics).seconds
    steady = time.perf_counter

    @app.middleware("http")
    async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began = steady()
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "none")
        seconds.labels(route, str(response.status_code)).observe(steady() - began)
        if fresh := getattr(request.state, "fresh_session", ""):
            keep_session(request, response, fresh)
        for name, value in _protection(request).items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(Exception)
    def _broken(request: Request, _error: Exception) -> Response:
        """A bug of ours: its answer is made outside of the above, and says nothing of the inside."""
        told = {"what": "something broke", "where": request.url.path, "hint": "The program's log says what."}
        return JSONResponse({"detail": told}, 500, headers=_protection(request))

    return app


def _protection(request: Request) -> dict[str, str]:
    return SECURITY_HEADERS | (BEHIND_TLS if request.url.scheme == "https" else {})


def _operations(app: FastAPI, parts: HttpParts, guarded: list[params.Depends]) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        """The process answers. No token needed."""
        return {"status": "alive", "version": __version__}

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        """Whether it does its work: journal read, database and store there. 503 with the reasons when not."""
        reasons = list(parts.ready())
        return JSONResponse(
            {"status": "not ready" if reasons else "ready", "reasons": reasons}, 503 if reasons else 200
        )

    @router.get("/metrics", dependencies=guarded)
    def metrics() -> Response:
        """Prometheus text."""
        return Response(
            prometheus_client.generate_latest(parts.metrics), media_type=prometheus_client.CONTENT_TYPE_LATEST
        )

    @router.get("/openapi.json", dependencies=guarded, include_in_schema=False)
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return router
