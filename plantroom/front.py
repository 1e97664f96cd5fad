"""What the engine process shows: every router, the gate before them, and the pages behind their door."""

from collections.abc import Callable, Sequence
from functools import partial

import prometheus_client
from fastapi import APIRouter, FastAPI

from dashboards.web.change_feed import ChangeFeed
from dashboards.web.pages import Pages, show_denials, show_missing
from dashboards.web.reception import Reception
from dashboards.web.router import web_router
from dashboards.web.rule_view import RuleDesk
from facility.clock import RealClock
from facility.registry import Registry
from ingest.api import build_router as ingest_router
from ingest.discovery_api import build_router as devices_router
from plantroom.access import Gate, visible, who_calls
from plantroom.accounts.api import build_router as accounts_router
from plantroom.accounts.api_tokens import token_router
from plantroom.accounts.door import AccountDoor
from plantroom.accounts.web_door import WebDoor, enter_router
from plantroom.contract_api import build_contracts_router
from plantroom.directory_api import build_router as directory_router
from plantroom.file_desk import ContractCheck, PlantFileDesk
from plantroom.http import HttpParts, create_app
from plantroom.identity_provider import open_identities
from plantroom.import_api import build_import_router
from plantroom.manage_desk import ContractDesk, Plant
from plantroom.manual_desk import Manuals
from plantroom.office_desk import BackOffice
from plantroom.once import Once
from plantroom.people_names import PeopleNames
from plantroom.plant_view import PlantSources, ProgramView
from plantroom.quote_desk import Quotes
from plantroom.refusal_words import in_language
from plantroom.refusals import answer_http
from plantroom.secret_files import admin_token
from plantroom.settings import Settings
from plantroom.shelf_api import build_shelf_router
from plantroom.shelf_desk import EngineShelf
from rules.api import build_router as rules_router
from ticketing.cost_desk import CostDesk
from ticketing.egress import Egress
from ticketing.notice_apprise import tell
from ticketing.roster import Roll
from ticketing.service_outbox import OutboxTeller


def open_front(
    settings: Settings,
    sources: PlantSources,
    metrics: prometheus_client.CollectorRegistry,
    ready: Callable[[], Sequence[str]],
    more_api: Sequence[APIRouter],
    own_pages: Sequence[APIRouter],
    reception: Reception,
    rules: RuleDesk,
    feed: ChangeFeed,
    roster: Roll,
    contracts: ContractCheck,
) -> FastAPI:
    """The application. `more_api` stands behind the gate too.

    `own_pages` follow a code of their own instead of a session (links of notices).

    Accounts live by the wall clock, whatever clock the plant lives by.
    """
    database, clock, wall_clock = sources.database, sources.clock, RealClock()
    door = AccountDoor(database, admin_token(settings), wall_clock, settings.once_file)
    web_door = WebDoor(door, database, wall_clock)
    view = ProgramView(sources)
    shelf = EngineShelf(sources.host, view.finding, sources.hand_over, clock)
    told = Egress(settings.outbound_private).guard(tell)
    back = BackOffice(database, lambda: view.registry().buildings, roster, wall_clock, clock, told)
    plant = Plant(database, view.orders, roster)
    costs = CostDesk(sources.book, view.registry, OutboxTeller(roster, wall_clock))

    def seen() -> Registry:
        return visible(view.registry())

    api: list[APIRouter] = [
        directory_router(seen),
        ingest_router(seen, sources.store, sources.dead_letters, clock),
        devices_router(sources.devices),
        rules_router(sources.host),
        build_shelf_router(shelf, seen, view.finding),
        build_contracts_router(database, clock, plant.book, view.registry),
        build_import_router(settings, view.registry),
        *more_api,
        accounts_router(database, view.registry, wall_clock),
        token_router(database, wall_clock),
    ]
    files = PlantFileDesk(settings, view.registry, contracts, sources.refused, database, (clock, wall_clock))
    manuals = Manuals(settings.manuals_folder, settings.manuals, database, wall_clock)
    identities = open_identities(settings, door, database, lambda: view.registry().buildings, wall_clock)
    label = settings.oidc_label if settings.oidc_issuer is not None else ""
    web = web_router(
        view,
        web_door,
        reception,
        rules,
        feed,
        manage=ContractDesk(plant),
        shelf=shelf,
        office=back,
        own=back,
        files=files,
        manuals=manuals,
        provider=label,
        leave=identities.leave,
        names=PeopleNames(database, roster, wall_clock),
        grafana=settings.grafana_url or "",
        quotes=Quotes(database, costs, clock, sources.host.touch),
        tell=in_language,
    )
    pages = [web, enter_router(door), *identities.routers, *own_pages]
    missing = partial(show_missing, Pages(view, web_door), programs=answer_http)
    set_up: list[Callable[[FastAPI], None]] = [show_denials, missing]
    once = Once(database, wall_clock, who_calls)
    return create_app(HttpParts(Gate(door), once, api, pages, metrics, ready, set_up))
