"""An OpenID Connect provider: its addresses, the way there and back (state, nonce, PKCE), and its signed word.

Authlib walks the way and joserfc checks the signature; what must hold is checked here: issuer, audience, time, nonce.
Only signatures by a key pair count: a shared secret or none at all is refused whatever the token says of itself.
"""

import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from facility.clock import Clock
from facility.errors import refuse
from plantroom.accounts.oidc_claims import Denied, OidcError
from plantroom.accounts.secret import new_secret

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
SCOPE = "openid profile email"
SECONDS = 10
LEEWAY = 120
"""How far the clocks of the two may be apart, in seconds."""
KEYS_KEPT = 3_600_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by. `address` is where our own pages are reached, without a slash at the end."""

    issuer: str
    client_id: str
    client_secret: str
    address: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise refuse("oidc_issuer", f"{self.issuer!r} is not an https address", "Write it as the provider does.")

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends a browser back to; the provider has to be told."""
        return f"{self.address}/oidc/callback"

    @property
    def after_uri(self) -> str:
        """Where the provider sends a browser that it has signed out; the provider has to be told."""
        return f"{self.address}/login"


@dataclass(frozen=True, slots=True)
class Errand:
    """One browser on its way to the provider: what must come back with it."""

    state: str
    nonce: str
    verifier: str
    wanted: str


class Provider:
    """Asks the provider for its addresses and keys once, and for keys again when it signs with a new one."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._lock = threading.Lock()
        self._found: Mapping[str, Any] | None = None
        self._keys: tuple[int, KeySet] | None = None

    def send(self, wanted: str) -> tuple[str, Errand]:
        """The address to send a browser to, and what must come back. Raises OidcError while the provider is away."""
        errand = Errand(new_secret(), new_secret(), new_secret() + new_secret(), wanted)
        there = self._address("authorization_endpoint")
        url, _ = self._session().create_authorization_url(
            there, state=errand.state, nonce=errand.nonce, code_verifier=errand.verifier
        )
        return str(url), errand

    def take_back(self, errand: Errand, given: Mapping[str, str]) -> tuple[Mapping[str, object], str]:
        """The claims of whoever came back with these parameters, and the ID token that says so. Raises OidcError for
        whatever does not fit."""
        if not hmac.compare_digest(given.get("state", "").encode(), errand.state.encode()):
            raise OidcError(Denied.FORGED, "the state is not the one we gave")
        if "iss" in given and given["iss"] != self._client.issuer:
            raise OidcError(Denied.FORGED, f"the answer is of the issuer {given['iss']!r}")
        if "error" in given:
            raise OidcError(Denied.REFUSED, f"the provider says {given['error'][:80]!r}")
        if not given.get("code"):
            raise OidcError(Denied.FORGED, "no code came back")
        try:
            token = self._session().fetch_token(
                self._address("token_endpoint"), code=given["code"], code_verifier=errand.verifier, timeout=SECONDS,
                grant_type="authorization_code",
            )  # fmt: skip
        except (AuthlibBaseError, requests.RequestException, ValueError) as error:
            raise OidcError(Denied.REFUSED, f"the code was not taken: {error}") from error
        id_token = str(token.get("id_token", ""))
        return self._claims(id_token, errand.nonce), id_token

    def leave(self, id_token: str) -> str:
        """The address at which a browser is signed out of the provider too, which sends it back to our sign-in page;
        empty when the provider has none, or does not answer. `id_token` (may be empty) says whom it is about."""
        try:
            there = self._address("end_session_endpoint")
        except OidcError:
            return ""
        asked = {"client_id": self._client.client_id, "post_logout_redirect_uri": self._client.after_uri}
        if id_token:
            asked["id_token_hint"] = id_token
        return f"{there}{'&' if urlsplit(there).query else '?'}{urlencode(asked)}"

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, object]:
        try:
            claims = self._verified(id_token, again=True)
        except (JoseError, ValueError) as error:
            raise OidcError(Denied.FORGED, f"the ID token is not signed by the provider: {error}") from error
        audience = claims.get("aud")
        ours = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        now = self._clock.now().timestamp()
        expires = claims.get("exp")
        wrong = ""
        if claims.get("iss") != self._client.issuer:
            wrong = f"the issuer is {claims.get('iss')!r}"
        elif self._client.client_id not in ours or (len(ours) > 1 and claims.get("azp") != self._client.client_id):
            wrong = f"it is for {ours}"
        elif not isinstance(expires, int | float) or expires + LEEWAY < now:
            wrong = "its time is over"
        elif not isinstance(issued := claims.get("iat"), int | float) or issued - LEEWAY > now:
            wrong = "it is of the future"
        elif not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            wrong = "the nonce is not the one we gave"
        elif not isinstance(claims.get("sub"), str) or not claims["sub"]:
            wrong = "it names no subject"
        if wrong:
            raise OidcError(Denied.FORGED, f"the ID token is refused: {wrong}")
        return claims

    def _verified(self, id_token: str, *, again: bool) -> dict[str, object]:
        """The claims of a token that one of the provider's keys has signed; asks for the keys anew once."""
        try:
            return dict(jwt.decode(id_token, self._key_set(), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):
            if not again:
                raise
        with self._lock:
            self._keys = None
        return self._verified(id_token, again=False)

    def _session(self) -> Any:  # noqa: ANN401 - Authlib has no types
        return OAuth2Session(
            self._client.client_id, self._client.client_secret, scope=SCOPE, redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
        )  # fmt: skip

    def _address(self, name: str) -> str:
        if self._found is None:
            found = self._ask(f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._client.issuer:
                msg = f"the provider calls itself {found.get('issuer')!r}, not {self._client.issuer!r}"
                raise OidcError(Denied.AWAY, msg)
            self._found = found
        try:
            return str(self._found[name])
        except KeyError:
            raise OidcError(Denied.AWAY, f"the provider names no {name}") from None

    def _key_set(self) -> KeySet:
        now_us = self._clock.now_us()
        with self._lock:
            if self._keys is not None and now_us - self._keys[0] < KEYS_KEPT:
                return self._keys[1]
        keys = KeySet.import_key_set(cast("Any", self._ask(self._address("jwks_uri"))))
        with self._lock:
            self._keys = (now_us, keys)
        return keys

    @staticmethod
    def _ask(url: str) -> Mapping[str, Any]:
        try:
            answer = requests.get(url, timeout=SECONDS)
            answer.raise_for_status()
            return cast("Mapping[str, Any]", answer.json())
        except (requests.RequestException, ValueError) as error:
            raise OidcError(Denied.AWAY, f"the provider does not answer: {error}") from error
