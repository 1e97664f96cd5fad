"""Asks an application in process, without a server."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI


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
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base_url, cookies=self.cookies, trust_env=False
            ) as client:
                answer = await client.request(method, path, **sent)
                self.cookies = dict(client.cookies)
                return answer

        return asyncio.run(once())
