"""The identity provider of the settings, put together; none without one. Needs the extra `oidc`."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from fastapi import APIRouter

from facility.clock import Clock
from facility.errors import refuse
from plantroom.accounts.door import AccountDoor, Sessions
from plantroom.settings import Settings


class Identities(NamedTuple):
    """The routes of signing in through a provider, and where it signs somebody out (see `Provider.leave`)."""

    routers: Sequence[APIRouter] = ()
    leave: Callable[[str], str] | None = None


def open_identities(
    settings: Settings, door: AccountDoor, sessions: Sessions, buildings: Callable[[], Collection[str]], clock: Clock
) -> Identities:
    """None of it when no provider is set. Raises InputError for settings that cannot be."""
    if settings.oidc_issuer is None or settings.oidc_client_secret_file is None:
        return Identities()
    try:
        from plantroom.accounts.oidc_claims import OidcMapping, parse_roles  # noqa: PLC0415 - an extra
        from plantroom.accounts.oidc_provider import Client, Provider  # noqa: PLC0415 - an extra
        from plantroom.accounts.oidc_routes import build_oidc_router  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise refuse("oidc_issuer", f"needs {error.name}", "pip install 'plantroom[oidc]'") from error
    try:
        secret = settings.oidc_client_secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        where = str(settings.oidc_client_secret_file)
        raise refuse(where, f"cannot be read: {error}", "Put the client's secret into it, mode 600.") from error
    address = (settings.oidc_address or "").rstrip("/")
    client = Client(settings.oidc_issuer, settings.oidc_client_id or "", secret, address)
    mapping = OidcMapping(
        parse_roles(settings.oidc_roles), settings.oidc_role_claim, settings.oidc_name_claim,
        settings.oidc_buildings_claim,
    )  # fmt: skip
    provider = Provider(client, clock)
    return Identities([build_oidc_router(provider, mapping, door, sessions, buildings, clock)], provider.leave)
