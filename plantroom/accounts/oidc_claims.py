"""Who somebody is to us, from what an identity provider says of her. Pure.

Her role comes from one claim (a text or a list of texts): of the roles that its values stand for, the most trusted one
the settings name. Her buildings come from another; a customer needs at least one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from facility.errors import refuse
from facility.fields import unknown
from plantroom.accounts.role import GRANTS, Role

_BY_TRUST = sorted(Role, key=lambda role: -len(GRANTS[role]))


class Denied(StrEnum):
    """Why nobody came in; each has its words on the sign-in page."""

    AWAY = "away"
    STALE = "stale"
    FORGED = "forged"
    REFUSED = "refused"
    NO_ROLE = "role"
    NO_NAME = "name"
    TAKEN = "taken"
    BUILDINGS = "buildings"
    DISABLED = "disabled"


class OidcError(Exception):
    """Signing in through the provider ended here; `why` for the page, the text for the log."""

    def __init__(self, why: Denied, text: str) -> None:
        super().__init__(text)
        self.why = why


@dataclass(frozen=True, slots=True)
class OidcMapping:
    """Which claims say what. `roles` maps values of the role claim to our roles; others say nothing."""

    roles: Mapping[str, Role] = field(hash=False)
    role_claim: str = "groups"
    name_claim: str = "preferred_username"
    buildings_claim: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as she may come in. `subject` is the provider's own name for her, which never changes."""

    subject: str
    name: str
    display_name: str
    role: Role
    buildings: tuple[str, ...]


def parse_roles(text: str) -> dict[str, Role]:
    """`plant-admins=admin, lift-crew=technician`. Raises InputError for a role there is not."""
    found = {}
    for part in (piece.strip() for piece in text.split(",") if piece.strip()):
        value, sign, role = (piece.strip() for piece in part.rpartition("="))
        if not sign or not value:
            raise refuse("oidc_roles", f"{part!r} maps nothing", "Write VALUE=ROLE, ... such as lift-crew=technician.")
        if role not in set(Role):
            raise refuse("oidc_roles", unknown("role", role, list(Role)), f"Write one of: {', '.join(Role)}.")
        found[value] = Role(role)
    return found


def known_by(claims: Mapping[str, object], mapping: OidcMapping, buildings: Iterable[str]) -> Known:
    """Who she is to us. Raises OidcError with why she is nobody."""
    said = _texts(claims.get(mapping.role_claim))
    roles = {mapping.roles[value] for value in said if value in mapping.roles}
    role = next((one for one in _BY_TRUST if one in roles), None)
    name = claims.get(mapping.name_claim)
    if role is None:
        msg = f"none of {said or ['nothing']} in the claim {mapping.role_claim!r} stands for a role"
        raise OidcError(Denied.NO_ROLE, msg)
    if not isinstance(name, str) or not name.strip():
        msg = f"the claim {mapping.name_claim!r} holds no name"
        raise OidcError(Denied.NO_NAME, msg)
    there = set(buildings)
    hers = (
        tuple(sorted(there.intersection(_texts(claims.get(mapping.buildings_claim)))))
        if mapping.buildings_claim
        else ()
    )
    if role is Role.CUSTOMER and not hers:
        msg = f"{name!r} is a customer, and the claim {mapping.buildings_claim!r} names no building of ours"
        raise OidcError(Denied.BUILDINGS, msg)
    shown = claims.get("name")
    subject = f"{claims['iss']} {claims['sub']}"[:255]
    return Known(subject, name.strip(), shown if isinstance(shown, str) else "", role, hers)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
