"""Which right each route asks for. Pure data and one decision; a route that is not named here is the admin's alone."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from plantroom.accounts.caller import Caller
from plantroom.accounts.role import CUSTOMER_VERBS, Right, Role

PUBLIC: Final = (
    "/healthz",
    "/readyz",
    "/login",
    "/logout",
    "/enter/{code}",
    "/oidc/login",
    "/oidc/callback",
    "/password/{code}",
    "/act/{token}",
    "/report/{code}",
    "/told/{code}",
    "/told/{code}/{what}",
    "/calendar/{person}/{signature}.ics",
    "/static/{name}",
    "/sw.js",
    "/manifest.webmanifest",
)
"""Routes that ask nobody who they are. Those of occupants follow their own code."""

_LOOKING: Final = ("GET", "HEAD", "OPTIONS")
# The longest beginning wins: the right for looking, and the one for changing.
_RULES: Final[Mapping[str, tuple[Right, Right]]] = {
    "/": (Right.WATCH, Right.ADMINISTER),
    "/my": (Right.WORK, Right.WORK),
    "/me": (Right.OWN, Right.OWN),
    "/buildings": (Right.WATCH, Right.TUNE),
    "/assets": (Right.WATCH, Right.TUNE),
    "/findings": (Right.WATCH, Right.TUNE),
    "/findings/shelved": (Right.SEE, Right.TUNE),
    "/work-orders": (Right.WATCH, Right.WORK),
    "/rules": (Right.BACKTEST, Right.BACKTEST),
    "/devices": (Right.TUNE, Right.TUNE),
    "/dead-letters": (Right.TUNE, Right.TUNE),
    "/health": (Right.SEE, Right.TUNE),
    "/manage": (Right.MANAGE, Right.MANAGE),
    "/plan": (Right.SEE, Right.MANAGE),
    "/contracts": (Right.MANAGE, Right.MANAGE),
    "/live": (Right.WATCH, Right.ADMINISTER),
    "/events": (Right.WATCH, Right.ADMINISTER),
    "/office": (Right.ADMINISTER, Right.ADMINISTER),
    "/api/me": (Right.OWN, Right.OWN),
    "/api/sites": (Right.WATCH, Right.ADMINISTER),
    "/api/assets": (Right.WATCH, Right.ADMINISTER),
    "/api/assets/{asset_id}/meters": (Right.SEE, Right.WORK),
    "/api/readings": (Right.WATCH, Right.ADMINISTER),
    "/api/findings": (Right.WATCH, Right.TUNE),
    "/api/shelves": (Right.SEE, Right.TUNE),
    "/api/work-orders": (Right.WATCH, Right.WORK),
    "/api/work-orders/{id}/escalations": (Right.SEE, Right.WORK),
    "/api/work-orders/{id}/candidates": (Right.SEE, Right.WORK),
    "/api/dead-letters": (Right.TUNE, Right.TUNE),
    "/api/devices": (Right.TUNE, Right.TUNE),
    "/api/rules": (Right.SEE, Right.TUNE),
    "/api/requests": (Right.SEE, Right.WORK),
    "/api/complaints": (Right.SEE, Right.WORK),
    "/api/surveys": (Right.SEE, Right.WORK),
    "/api/photos": (Right.WATCH, Right.WORK),
    "/api/attachments": (Right.WATCH, Right.WORK),
    "/api/dispatch": (Right.SEE, Right.MANAGE),
    "/api/outbox": (Right.MANAGE, Right.MANAGE),
    "/api/kpi": (Right.MANAGE, Right.MANAGE),
    "/api/import": (Right.ADMINISTER, Right.ADMINISTER),
    "/api/contracts": (Right.MANAGE, Right.MANAGE),
    "/api/report": (Right.MANAGE, Right.MANAGE),
    "/api/costs": (Right.SEE, Right.WORK),
    "/api/quotes": (Right.SEE, Right.WORK),
    "/api/parts": (Right.SEE, Right.MANAGE),
    "/api/claims": (Right.SEE, Right.MANAGE),
    "/api/calendars": (Right.ADMINISTER, Right.ADMINISTER),
    "/api/users": (Right.ADMINISTER, Right.ADMINISTER),
    "/api/audit": (Right.ADMINISTER, Right.ADMINISTER),
    "/metrics": (Right.TUNE, Right.ADMINISTER),
    "/openapi.json": (Right.OWN, Right.ADMINISTER),
}
_SCOPED: Final = frozenset(
    {
        "/",
        "/live",
        "/events",
        "/my",
        "/buildings/{building_id}",
        "/buildings/{building_id}/floors",
        "/assets/{asset_id}",
        "/assets/{asset_id}/siblings",
        "/assets/{asset_id}/manuals/{name}",
        "/findings/shelved",
        "/findings/shelved/back",
        "/findings/{finding_id}/shelve",
        "/api/shelves",
        "/api/shelves/{asset_id}/{rule_id}",
        "/api/findings/{finding_id}/shelve",
        "/findings",
        "/findings/{finding_id}",
        "/work-orders",
        "/work-orders/{order_id}",
        "/api/sites",
        "/api/assets",
        "/api/assets/{asset_id}",
        "/api/readings",
        "/api/findings",
        "/api/work-orders",
        "/api/work-orders/{id}",
        "/api/work-orders/{id}/deadline",
        "/api/work-orders/{id}/checklist",
        "/api/work-orders/{id}/attachments",
        "/api/work-orders/{id}/candidates",
        "/api/work-orders/{id}/escalations",
        "/api/work-orders/{id}/{verb}",
        "/api/assets/{asset_id}/meters/{meter}",
        "/api/dispatch/{id}",
        "/api/dispatch/day",
        "/api/requests",
        "/api/requests/{id}",
        "/api/requests/{id}/{verb}",
        "/api/complaints",
        "/api/complaints/{id}",
        "/api/complaints/{id}/link",
        "/api/complaints/{id}/{verb}",
        "/api/surveys",
        "/api/surveys/{id}",
        "/api/surveys/{id}/answers",
        "/api/costs",
        "/api/quotes",
        "/api/quotes/{id}/{verb}",
        "/api/parts",
        "/api/parts/{id}/receive",
        "/api/claims",
        "/api/requests/{id}/attachments",
        "/api/requests/{id}/photos",
        "/api/complaints/{id}/attachments",
        "/api/attachments/{id}",
        "/api/attachments/{id}/thumbnail",
        "/api/photos/{id}",
        "/work-orders/{order_id}/{verb}",
        "/work-orders/{order_id}/quotes/new",
        "/work-orders/{order_id}/quotes/{quote_id}/{verb}",
        "/api/rules",
        "/api/rules/{rule_id}",
        "/rules",
        "/rules/{rule_id}",
        "/health",
        "/manage",
        "/plan",
        "/contracts",
        "/contracts/compare",
        "/contracts/{contract_id}",
        "/devices",
        "/devices/approve",
        "/dead-letters",
    }
)
"""Routes that show a caller with buildings of her own only those, or nothing of a building. Others are closed to her,
whatever her role."""
_VERB_ROUTE: Final = re.compile(r"^(/api)?/work-orders/\{(order_id|id)\}/\{verb\}$")

_QUOTE_ROUTE: Final = re.compile(r"^(/api/quotes/\{id\}|/work-orders/\{order_id\}/quotes/\{quote_id\})/\{verb\}$")
_ON_QUOTES: Final = frozenset({"approve", "reject"})
"""What is for who pays: the customer, or a manager in her place; never for whoever made the quote."""


class Access(StrEnum):
    """Why a call goes on or stops."""

    PUBLIC = "public"
    GRANTED = "granted"
    NOT_SIGNED_IN = "not signed in"
    ROLE = "the role does not allow it"
    BUILDINGS = "it shows more than the caller's buildings"
    SCOPE = "the token's scope does not allow it"

    @property
    def is_allowed(self) -> bool:
        return self in (Access.PUBLIC, Access.GRANTED)


def is_listed(route: str) -> bool:
    """Whether somebody has decided about this route; the others are the admin's alone."""
    return route in PUBLIC or _rule(route) is not None


def right_for(method: str, route: str) -> Right:
    """The right a route template such as `/work-orders/{order_id}` asks for."""
    rule = _rule(route)
    if rule is None:
        return Right.ADMINISTER
    right = rule[0] if method in _LOOKING else rule[1]
    return Right.SEE if right is Right.WATCH and route not in _SCOPED else right


def decide_access(caller: Caller | None, method: str, route: str, path: Mapping[str, object]) -> Access:
    """Whether this caller may use this route; `path` are the values in it."""
    if route in PUBLIC:
        return Access.PUBLIC
    if caller is None:
        return Access.NOT_SIGNED_IN
    right = right_for(method, route)
    decides_quote = bool(_QUOTE_ROUTE.match(route)) and path.get("verb") in _ON_QUOTES
    if decides_quote:
        right = Right.MANAGE
    if caller.buildings is not None and right is not Right.OWN and route not in _SCOPED:
        return Access.BUILDINGS if right in caller.rights else Access.ROLE
    is_customers_verb = caller.role is Role.CUSTOMER and (
        decides_quote or (bool(_VERB_ROUTE.match(route)) and path.get("verb") in CUSTOMER_VERBS)
    )
    if is_customers_verb and caller.may_change:
        return Access.GRANTED
    if right in caller.rights and (caller.may_change or method in _LOOKING):
        return Access.GRANTED
    whole = Caller(caller.name, caller.role, caller.user_id, caller.buildings)
    return Access.SCOPE if right in whole.rights or is_customers_verb else Access.ROLE


def _rule(route: str) -> tuple[Right, Right] | None:
    best = max(
        (known for known in _RULES if route == known or route.startswith((known + "/", known + "."))),
        key=len,
        default=None,
    )
    return _RULES[best] if best is not None else None
