"""The two routes of a signed link: a page that asks, and the button that does. No token of the program is needed."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from facility.clock import Clock
from ticketing import repository
from ticketing.api import Sessions
from ticketing.contract_book import ContractBook
from ticketing.roster import Roll, Roster
from ticketing.signed_link import Errand, read_errand
from ticketing.transition import Act, carry_out
from ticketing.views import format_number
from ticketing.work_order import Refused, Words

_TEXTS = {
    "en": {
        "acknowledge": "Acknowledge",
        "done": "Done: {number} is acknowledged.",
        "bad": "This link cannot be used: {why}.",
        "refused": "Not possible: {why}.",
        "title": "Plantroom",
    },
    "zh": {
        "acknowledge": "接单",
        "done": "已接单：{number}。",
        "bad": "此链接无法使用：{why}。",
        "refused": "无法执行：{why}。",
        "title": "Plantroom",
    },
}
_WHY_ZH = {
    "the link is damaged": "链接已损坏",
    "the link was not made by this program": "链接不是由本系统生成",
    "the link is too old": "链接已过期",
}
Token = Annotated[str, Path(max_length=600)]


def build_link_router(sessions: Sessions, clock: Clock, book: ContractBook, people: Roll, secret: bytes) -> APIRouter:
    """The routes. Whoever has the link acts as the person it was sent to."""
    router = APIRouter(tags=["links"])

    @router.get("/act/{token}", response_class=HTMLResponse)
    def ask(token: Token) -> HTMLResponse:
        """What the link would do. Opening it changes nothing: mail programs open links by themselves."""
        errand = read_errand(secret, token, clock.now())
        if isinstance(errand, str):
            return _bad(errand)
        with sessions.reading() as session:
            row = repository.find_order(session, errand.order_id)
        language = _language(people(), errand)
        if row is None:
            return _bad(f"there is no order {errand.order_id}")
        told = f"{format_number(row.number)}: {row.title} ({row.asset_id})"
        button = f"<form method='post'><button>{escape(_TEXTS[language][errand.verb.value])}</button></form>"
        return _page(language, f"<p>{escape(told)}</p>{button}", 200)

    @router.post("/act/{token}", response_class=HTMLResponse)
    def act(token: Token) -> HTMLResponse:
        """Do it, in the name of the person. Twice is refused like any verb that is not possible any more."""
        errand = read_errand(secret, token, clock.now())
        if isinstance(errand, str):
            return _bad(errand)
        language = _language(people(), errand)
        person = people().people.get(errand.person)
        by = person.name if person is not None else errand.person
        with sessions.writing() as session:
            row = repository.find_order(session, errand.order_id, lock=True)
            if row is None:
                return _bad(f"there is no order {errand.order_id}")
            done = carry_out(session, book, row, Act(errand.verb, by, clock.now(), Words("By the link in a message.")))
            number = format_number(row.number)
        if isinstance(done, Refused):
            why = f"{number}: {done.what}"
            return _page(language, f"<p>{escape(_TEXTS[language]['refused'].format(why=why))}</p>", 409)
        return _page(language, f"<p>{escape(_TEXTS[language]['done'].format(number=number))}</p>", 200)

    return router


def _language(roster: Roster, errand: Errand) -> str:
    person = roster.people.get(errand.person)
    return person.language if person is not None and person.language in _TEXTS else "en"


def _bad(why: str) -> HTMLResponse:
    lines = [_TEXTS["en"]["bad"].format(why=why), _TEXTS["zh"]["bad"].format(why=_WHY_ZH.get(why, why))]
    return _page("en", "".join(f"<p>{escape(line)}</p>" for line in lines), 404)


def _page(language: str, body: str, status: int) -> HTMLResponse:
    lang = "zh-CN" if language == "zh" else "en"
    head = (
        "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        "<meta name='robots' content='noindex'><link rel='stylesheet' href='/static/style.css'>"
        f"<title>{_TEXTS[language]['title']}</title>"
    )
    return HTMLResponse(
        f"<!doctype html><html lang='{lang}'><head>{head}</head><body><main>{body}</main></body></html>", status
    )
