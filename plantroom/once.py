"""A call that carries an Idempotency-Key is carried out once: the same call again gets the first answer again.

One mechanism for every route that changes something. That a call was carried out is written in the very transaction
that carried it out (`Database.writing` asks for it), so that a program killed at any instant never does it twice; the
answer is written down before it is sent. A refusal is not kept: it may be tried again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facility.clock import Clock
from facility.errors import RetryableError
from plantroom.database import WITHIN_WRITING, Database
from ticketing.kept_answer_rows import Kept, claim, find_kept, keep

HEADER = "Idempotency-Key"
SAFE = ("GET", "HEAD", "OPTIONS")
MOST_BYTES = 16_000_000
_STATE = "once"
Key = Annotated[
    str | None,
    Header(
        alias=HEADER, min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$",
        description="the same call again with the same key does nothing and gets the first answer again, for 7 days",
    ),
]  # fmt: skip


class ReplayError(Exception):
    """Not a failure: the call was answered before, and `kept` is the answer."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("answered before")
        self.kept = kept


class OnceCall:
    """One call with a key on its way through the program; `key` is the caller's own. Used by one thread at a time."""

    def __init__(self, digest: str) -> None:
        self.digest, self.key, self.fingerprint, self.is_written = digest, "", "", False
        self._clock: Clock | None = None

    def begin(self, key: str, fingerprint: str, clock: Clock) -> None:
        """It is known who calls, and it was not answered before."""
        self.key, self.fingerprint, self._clock = key, fingerprint, clock

    def begun(self, session: Session) -> None:
        """First thing in a transaction of this call. Raises RetryableError when another process is at it."""
        if self.is_written or self._clock is None:
            return
        if not claim(session, self.key, self.fingerprint, self._clock.now()):
            msg = "the same call is being carried out; ask again"
            raise RetryableError(msg)

    def committed(self) -> None:
        """The transaction has ended well: the call is carried out."""
        self.is_written = True


class Once:
    """`name` says who calls, within a request; keys of two callers have nothing to do with each other."""

    def __init__(self, database: Database, clock: Clock, name: Callable[[], str]) -> None:
        self._database, self._clock, self._name = database, clock, name
        self._busy: dict[str, tuple[asyncio.Lock, int]] = {}

    def install(self, app: FastAPI) -> None:
        """Let the application buffer and keep answers. Routes also need the dependency `ask`."""
        app.add_exception_handler(ReplayError, _replay)
        app.add_middleware(_KeepAnswers, once=self)
        described = app.openapi

        def openapi() -> dict[str, Any]:
            schema = described()
            for methods in schema.get("paths", {}).values():
                for method, operation in methods.items():
                    if method.upper() in SAFE:
                        kept = [one for one in operation.get("parameters", []) if one.get("name") != HEADER]
                        operation["parameters"] = kept
            return schema

        app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of changing the description

    async def ask(self, request: Request, idempotency_key: Key = None) -> None:
        """Dependency of every route, behind the gate: gives the answer a call had, or lets it be carried out once."""
        call: OnceCall | None = request.scope.get("state", {}).get(_STATE)
        if call is None or idempotency_key is None or request.method in SAFE:
            return
        name = self._name()
        key = f"{hashlib.sha256(name.encode()).hexdigest()[:24]}/{idempotency_key}"
        told = (
            f"{request.method} {request.url.path}?{request.url.query}\n{request.headers.get('if-match')}\n{call.digest}"
        )
        fingerprint = hashlib.sha256(told.encode()).hexdigest()
        kept = await run_in_threadpool(self._find, key)
        if kept is None:
            call.begin(key, fingerprint, self._clock)
            WITHIN_WRITING.set(call)
            return
        if kept.fingerprint != fingerprint:
            what = f"the {HEADER} {idempotency_key!r} was used for another call"
            hint = "Send a key of its own with each call; repeat it only to repeat."
            raise HTTPException(422, {"what": what, "where": f"header {HEADER}", "hint": hint})
        if kept.body is None:
            what = "the call was carried out, but the program stopped before it had answered"
            raise HTTPException(409, {"what": what, "where": request.url.path, "hint": "Read what became of it."})
        raise ReplayError(kept)

    async def keep(self, call: OnceCall, kept: Kept) -> None:
        """Write down the answer to a call that was carried out."""
        await run_in_threadpool(self._keep, call, kept)

    @asynccontextmanager
    async def alone(self, key: str) -> AsyncIterator[None]:
        """One call with a key at a time in this process: a second one waits for the first one's answer."""
        lock, waiting = self._busy.get(key, (asyncio.Lock(), 0))
        self._busy[key] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._busy[key]
            if waiting == 1:
                del self._busy[key]
            else:
                self._busy[key] = lock, waiting - 1

    def _find(self, key: str) -> Kept | None:
        with self._database.reading() as session:
            return find_kept(session, key)

    def _keep(self, call: OnceCall, kept: Kept) -> None:
        WITHIN_WRITING.set(None)  # this thread's own copy: the transaction below says itself what it is
        with self._database.writing() as session:
            call.begun(session)  # nothing was written in the database: it is said now that it was carried out
            keep(session, call.key, kept)


class _KeepAnswers:
    """Buffers a call that carries a key, and its answer, until the answer is written down."""

    def __init__(self, app: ASGIApp, once: Once) -> None:
        self._app, self._once = app, once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        async with self._once.alone(key):
            body = await _whole(receive)
            if len(body) > MOST_BYTES:
                await _too_long(scope)(scope, receive, send)
                return
            call = OnceCall(hashlib.sha256(body).hexdigest())
            scope.setdefault("state", {})[_STATE] = call
            answer: list[Message] = []
            await self._app(scope, _again(body, receive), _into(answer))
            if call.key and (call.is_written or answer[0]["status"] < 400):
                await self._once.keep(call, _kept(call, answer))
        for message in answer:
            await send(message)


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] in SAFE:
        return None
    values = [value for name, value in scope["headers"] if name == HEADER.lower().encode()]
    return values[0].decode("latin-1") if values else None


async def _whole(receive: Receive) -> bytes:
    """The body, up to one byte more than is taken."""
    body = bytearray()
    while len(body) <= MOST_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            break
    return bytes(body[: MOST_BYTES + 1])


def _too_long(scope: Scope) -> Response:
    what = f"the body has more than {MOST_BYTES:,} bytes"
    detail = {"what": what, "where": scope["path"], "hint": "Send less at once."}
    return JSONResponse({"detail": detail}, 413)


def _again(body: bytes, receive: Receive) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_part() -> Message:
        return parts.pop() if parts else await receive()

    return next_part


def _into(answer: list[Message]) -> Callable[[Message], Awaitable[None]]:
    async def send(message: Message) -> None:
        answer.append(message)

    return send


def _kept(call: OnceCall, answer: list[Message]) -> Kept:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in answer[1:])
    return Kept(
        call.fingerprint,
        answer[0]["status"],
        headers.get("content-type", ""),
        body.decode() or " ",  # an answer without words is not one that nobody knows
        headers.get("etag"),
    )


def _replay(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    if not isinstance(error, ReplayError):  # it is registered for no other
        raise error
    kept = error.kept
    headers = {"Idempotent-Replayed": "true"} | ({"ETag": kept.etag} if kept.etag else {})
    if kept.status == 204:
        return Response(status_code=204, headers=headers)
    return Response(kept.body, kept.status, headers, kept.media_type)
