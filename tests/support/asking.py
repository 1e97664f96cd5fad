"""Asks an application in process, without a server."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from fastapi import APIRouter, Depends, FastAPI

from facility.clock import RealClock
from plantroom.database import Database
from plantroom.once import Once
from plantroom.refusals import show_refusals


class Client:
    """Keeps cookies like a browser, follows no redirect. `sent` is whatever httpx takes."""

    def __init__(self, app: FastAPI, base_url: str = "http://testserver") -> None:
        self.cookies: dict[str, str] = {}
        self._app, self._base_url = app, base_url

    def get(self, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        return self.ask("GET", path, **sent)

    def post(self, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        return self.ask("POST", path, **sent)

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        (answer,) = self.at_once([(method, path, sent)])
        return answer

    def at_once(self, calls: Sequence[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Send all before any is answered: method, path and httpx's own arguments of each."""

        async def together() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base_url, cookies=self.cookies, trust_env=False
            ) as client:
                answers = await asyncio.gather(*(client.request(method, path, **sent) for method, path, sent in calls))
                self.cookies = dict(client.cookies)
                return answers

        return asyncio.run(together())


def bare_app(*routers: APIRouter) -> FastAPI:
    """An application of these routers that lets in everybody and refuses in the house's shape."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    show_refusals(app)
    return app


def app_of(database: Database, *routers: APIRouter, name: Callable[[], str] = lambda: "somebody") -> FastAPI:
    """An application of these routers alone, for whom every caller is one; calls with a key are carried out once."""
    app, once = FastAPI(), Once(database, RealClock(), name)
    for router in routers:
        app.include_router(router, dependencies=[Depends(once.ask)])
    once.install(app)
    show_refusals(app)
    return app
