"""A small OpenID Connect provider on loopback: discovery, keys, a page that signs in at once, and codes for tokens.

It checks what a real one checks: client, secret, redirect address, one use of a code, and PKCE. What it says of people
can be bent, to see that bent words are refused.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "plantroom", "the client's secret"


@dataclass
class Identity:
    """The provider. `person` is who signs in, `bend` what its next ID tokens say instead of the truth."""

    now: int
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "s-1", "preferred_username": "li.wei"})
    bend: dict[str, Any] = field(default_factory=dict)
    sign: str = "right"
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    other: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    lives: bool = True
    signs_out: bool = True

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert {"openid"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def end(self, asked: dict[str, str]) -> str:
        """Where a browser that is signed out is sent: only there where it was told, and only for a token of its own."""
        assert asked["client_id"] == CLIENT
        said = jwt.decode(asked["id_token_hint"], self.key).claims
        assert (said["iss"], said["sub"]) == (self.issuer, self.person["sub"])
        return asked["post_logout_redirect_uri"]

    def token(self, sent: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a code; None when anything of it is wrong."""
        client, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        asked = self.asked.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (unquote(client), unquote(secret)) != (CLIENT, SECRET):
            return None
        if sent["redirect_uri"] != asked["redirect_uri"] or challenge != asked["code_challenge"]:
            return None
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": self.now, "exp": self.now + 300, "nonce": asked["nonce"],
            **self.person, **self.bend,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": self.signed(claims)}

    def signed(self, claims: dict[str, Any]) -> str:
        """The ID token, signed as told."""
        if self.sign in ("none", "shared"):  # unsigned; or with the public key as if it were a shared secret
            algorithm = {"none": "none", "shared": "HS256"}[self.sign]
            text = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": algorithm}, claims))
            mac = hmac.digest(self.key.as_pem(private=False), text, "sha256") if self.sign == "shared" else b""
            return (text + b"." + _base64(mac)).decode()
        key = self.key if self.sign == "right" else self.other
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)

    def answer(self, path: str) -> dict[str, Any] | None:
        """Discovery and keys."""
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            names |= {"end_session_endpoint": "/end"} if self.signs_out else {}
            return {"issuer": self.issuer, **{name: self.issuer + where for name, where in names.items()}}
        return {"keys": [self.key.as_dict(private=False)]} if path == "/keys" else None


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@contextmanager
def identity_provider(now: int) -> Iterator[Identity]:
    """One that runs until the end of the block. `now` is in seconds since the epoch."""
    provider = Identity(now)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            found = provider.answer(urlsplit(self.path).path) if provider.lives else None
            self._say(found)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._say(provider.token(dict(parse_qsl(body)), self.headers.get("authorization", "")), 400)

        def _say(self, found: dict[str, Any] | None, wrong: int = 404) -> None:
            text = json.dumps(found if found is not None else {"error": "invalid_grant"}).encode()
            self.send_response(200 if found is not None else wrong)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
