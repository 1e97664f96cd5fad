"""All pages in one router for the program to mount at the root."""

from collections.abc import Callable

from fastapi import APIRouter, Depends

from dashboards.web.asset_page import asset_router
from dashboards.web.change_feed import ChangeFeed
from dashboards.web.contract_pages import contract_router
from dashboards.web.device_pages import device_router
from dashboards.web.event_pages import event_router
from dashboards.web.file_pages import file_router
from dashboards.web.file_view import FileDesk
from dashboards.web.finding_pages import finding_router
from dashboards.web.floor_pages import floor_router
from dashboards.web.language import Words
from dashboards.web.login import login_router
from dashboards.web.manage_pages import manage_router
from dashboards.web.manage_view import ManageDesk
from dashboards.web.manual_pages import manual_router
from dashboards.web.manual_view import ManualDesk
from dashboards.web.my_pages import my_router
from dashboards.web.occupant_pages import occupant_router
from dashboards.web.office_pages import office_router
from dashboards.web.office_view import OfficeDesk, OwnDesk
from dashboards.web.order_pages import order_router
from dashboards.web.overview import overview_router
from dashboards.web.own_pages import own_router
from dashboards.web.pages import Pages
from dashboards.web.plan_pages import plan_router
from dashboards.web.protocols import PlantView
from dashboards.web.quote_view import QuoteDesk
from dashboards.web.reception import Reception
from dashboards.web.rule_router import rule_router
from dashboards.web.rule_view import RuleDesk
from dashboards.web.shelf_pages import shelf_router
from dashboards.web.shelf_view import ShelfDesk
from dashboards.web.sibling_pages import sibling_router
from dashboards.web.static_files import static_router
from dashboards.web.system_pages import system_router
from dashboards.web.told_pages import told_router
from dashboards.web.user_pages import user_router
from dashboards.web.visitor import Door


def web_router(
    view: PlantView,
    door: Door,
    reception: Reception | None = None,
    rules: RuleDesk | None = None,
    feed: ChangeFeed | None = None,
    *,
    manage: ManageDesk | None = None,
    shelf: ShelfDesk | None = None,
    office: OfficeDesk | None = None,
    own: OwnDesk | None = None,
    files: FileDesk | None = None,
    manuals: ManualDesk | None = None,
    provider: str = "",
    leave: Callable[[str], str] | None = None,
    names: Callable[[str], str] = str,
    grafana: str = "",
    quotes: QuoteDesk | None = None,
    tell: Callable[[str, Words], str] | None = None,
) -> APIRouter:
    """The pages of a plant. Each asks the door who the visitor is, by the session cookie, and what she may; those of
    occupants, where there is a reception, go by a code of their own. Without a desk for them rules have no pages. What
    is published to `feed` reaches open pages. `names` gives a person's name for the one she signs in or is assigned by;
    `tell` says a refusal in the reader's language. `leave` as in `login_router`.

    None of them stands in the OpenAPI description: the API proper is under `/api`.
    """
    absent = {
        "/manage": manage,
        "/plan": manage,
        "/findings/shelved": shelf,
        "/office": office,
        "/me": own,
        "/office/files": files,
        "/office/manuals": manuals,
    }
    hidden = {path for path, desk in absent.items() if desk is None}
    changes = feed or ChangeFeed()
    pages = Pages(
        view,
        door,
        feed=changes,
        stickers=reception is not None,
        rule_pages=rules is not None,
        hidden=frozenset(hidden),
        provider=provider,
        names=names,
        grafana=grafana,
        tell=tell,
    )
    desks: list[APIRouter] = []
    if shelf is not None:
        desks.append(shelf_router(pages, shelf))  # before one finding, which its paths look like
    if office is not None:
        desks += [office_router(pages, office), user_router(pages, office)]
    if files is not None:
        desks.append(file_router(pages, files))
    if manuals is not None:
        desks.append(manual_router(pages, manuals))
    if own is not None:
        desks.append(own_router(pages, own))
    if manage is not None:
        desks += [manage_router(pages, manage), plan_router(pages, manage), contract_router(pages, manage)]
    router = APIRouter(include_in_schema=False)
    for part in (
        *desks,
        overview_router(pages),
        floor_router(pages),
        sibling_router(pages),
        asset_router(pages, manuals, rules),
        finding_router(pages),
        order_router(pages, quotes),
        my_router(pages),
        device_router(pages),
        system_router(pages),
        *([rule_router(pages, rules)] if rules is not None else []),
        event_router(pages, changes),
    ):
        # Before anything of the request is read, so that a stranger learns nothing of a form.
        router.include_router(part, dependencies=[Depends(pages.visitor)])
    router.include_router(login_router(pages, leave))
    if reception is not None:
        router.include_router(occupant_router(pages, reception))
        router.include_router(told_router(pages, reception))
    router.include_router(static_router())
    return router
