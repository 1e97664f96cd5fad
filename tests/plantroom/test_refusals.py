"""Every refusal has one shape, whatever was wrong with a call, and is said in the reader's language."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app
from people import service_book

from facility.clock import JournalClock
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from plantroom.refusal_words import in_chinese, sentences
from ticketing.attachment_desk import AttachmentDesk
from ticketing.attachment_store import AttachmentStore
from ticketing.complaint import ComplaintStatus, ComplaintVerb
from ticketing.placement import JOIN, OPEN, RECOVER
from ticketing.quote import QuoteStatus, QuoteVerb
from ticketing.request import RequestStatus, RequestVerb
from ticketing.roster_file import parse_roster
from ticketing.routers import ApiParts, ticketing_routers
from ticketing.survey import SurveyStatus
from ticketing.work_order import Status, Verb

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROSTER = (ROOT / "tests/data/ticketing/roster.yaml").read_text(encoding="utf-8")
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}
JSON = {"Content-Type": "application/json"}
ROUTES = ("/api/requests", "/api/complaints", "/api/costs", "/api/quotes", "/api/parts", "/api/work-orders")
HOLE = re.compile(r"\{(\d)\}")


@pytest.fixture(scope="module")
def client(upgraded_sqlite: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """Every route of ticketing; nothing here is ever written."""
    roster = parse_roster(ROSTER, "roster.yaml", SECRETS, registry)
    desk = AttachmentDesk(AttachmentStore(tmp_path_factory.mktemp("attachments")))
    database = Database(f"sqlite:///{upgraded_sqlite}")
    parts = ApiParts(
        database, JournalClock(to_us(AT)), service_book(), lambda: registry, lambda: roster, b"secret", desk
    )
    return Client(bare_app(*ticketing_routers(parts)))


def refusal(client: Client, method: str, path: str, **sent: Any) -> tuple[int, str, str, str]:  # noqa: ANN401 - httpx's own arguments
    """The status, what, where and hint."""
    answer = client.ask(method, path, **sent)
    detail = answer.json()["detail"]
    assert set(detail) == {"what", "where", "hint"}, answer.text
    assert detail["what"], answer.text
    assert detail["hint"], answer.text
    return answer.status_code, detail["what"], detail["where"], detail["hint"]


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_is_no_json_is_refused_with_its_place(client: Client, path: str) -> None:
    status, what, where, hint = refusal(client, "POST", path, content=b'{"text": oh}', headers=JSON)
    assert (status, where) == (422, "body, character 9")
    assert what == "the body is no JSON: Expecting value"
    assert "application/json" in hint


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_of_another_content_type_is_refused_by_its_name(client: Client, path: str) -> None:
    status, what, where, hint = refusal(client, "POST", path, content=b"text=hot", headers={"Content-Type": "text/x"})
    assert (status, what, where) == (422, "the body was sent as 'text/x', not as JSON", "header Content-Type")
    assert "application/json" in hint
    assert "without its content type" in refusal(client, "POST", path, content=b"{}")[1]


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"[" * 200_000])
def test_a_body_that_cannot_be_read_at_all_is_refused_in_words(client: Client, body: bytes) -> None:
    status, what, where, _ = refusal(client, "POST", "/api/requests", content=body, headers=JSON)
    assert status in (400, 422)
    assert what.startswith(("the body cannot be read", "the body is no JSON"))
    assert where.startswith(("body", "/api/requests"))


@pytest.mark.parametrize(
    ("path", "body", "says", "place"),
    [
        ("/api/quotes", {}, "order: Field required; lines: Field required", "body order"),
        ("/api/requests", ["no"], "body: Input should be a valid dictionary", "body"),
        ("/api/quotes", {"order": "1", "lines": 3}, "lines: Input should be a valid list, got 3", "body lines"),
        ("/api/parts", {"id": "b", "name": "Belt", "price": "x", "currency": "CNY"}, "price: Input should be", "price"),
        ("/api/work-orders/1/hold", {"reason": 3}, "reason: Input should be a valid string, got 3", "body reason"),
        ("/api/work-orders/1/hold", {"why": "x"}, "why: Extra inputs are not permitted", "body why"),
    ],
)
def test_a_body_of_wrong_fields_names_each(client: Client, path: str, body: object, says: str, place: str) -> None:
    status, what, where, _ = refusal(client, "POST", path, json=body)
    assert status == 422
    assert says in what
    assert place in where


def test_what_no_route_answers_has_the_same_shape(client: Client) -> None:
    assert refusal(client, "GET", "/api/nothing")[:3] == (404, "there is nothing at this address", "/api/nothing")
    assert refusal(client, "DELETE", "/api/work-orders")[0] == 405
    assert refusal(client, "GET", "/api/work-orders?limit=none")[2] == "query limit"


def test_a_reader_of_chinese_is_refused_in_chinese(client: Client) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    answer = client.get("/api/work-orders/77", headers=chinese)
    assert answer.json()["detail"] == {
        "what": "没有工单 '77'", "where": "work order 77", "hint": "列表见 GET /api/work-orders。",
    }  # fmt: skip
    assert answer.headers["content-language"] == "zh-CN"
    told = refusal(client, "POST", "/api/quotes", json={}, headers=chinese)
    assert told[1] == "order：缺少此字段；lines：缺少此字段"
    assert refusal(client, "GET", "/api/nothing", headers={"Accept-Language": "zh-TW"})[1] == "此地址沒有內容"
    assert refusal(client, "GET", "/api/work-orders/77", headers={"Accept-Language": "de"})[1].startswith("there is")


def test_each_sentence_says_the_same_in_both_languages() -> None:
    known = sentences()
    assert len({en for en, _ in known}) == len(known)
    for en, zh in known:
        assert set(HOLE.findall(zh)) <= set(HOLE.findall(en)), en
        said = HOLE.sub(lambda hole: f"X{hole[1]}x", en)
        assert in_chinese(said) == HOLE.sub(lambda hole: f"X{hole[1]}x", zh)


REFUSING = {"refuse": (1, 3), "Refused": (1, 2), "Declined": (0, 1), "NoAnswer": (0, 1), "NoItem": (0, 1)}
"""What refuses, and which of its arguments are its words: what, and what to do."""


def _sources() -> list[Path]:
    """The decisions on orders, and every other module with routes of its own; files are no routes."""
    found = [one for one in (ROOT / "ticketing").glob("*.py") if not one.stem.endswith("_file")]
    for place in ("plantroom/*_api.py", "plantroom/accounts/[!o]*.py", "ingest/*api.py", "rules/api.py"):
        found += ROOT.glob(place)
    return sorted(found)


def said_in_code() -> Iterator[tuple[str, str]]:
    """Every sentence with which a route or a decision behind it refuses, and where it stands."""
    for source in _sources():
        tree = ast.parse(source.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for part in _words(node):
                if (text := _sentence(part)) and " " in text:
                    yield f"{source.name}:{part.lineno}", text


def _words(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
        for index in REFUSING[node.func.id]:
            yield from node.args[index : index + 1]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "_refuse" and len(node.args) == 4:
        yield from node.args[2:]
    if isinstance(node, ast.Dict):
        yield from (one for key, one in zip(node.keys, node.values, strict=True) if _sentence(key) in ("what", "hint"))
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("(what, hint)", "what, hint"):
        yield from node.value.elts if isinstance(node.value, ast.Tuple) else ()
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
        yield from (one for one in node.value.elts if isinstance(one, ast.Constant) and str(one.value).endswith("."))


def _sentence(part: ast.expr | None) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value
    if isinstance(part, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else "X" for one in part.values)  # type: ignore[misc]  # its constants are texts
    return ""


def test_every_refusal_of_a_route_is_there_in_chinese() -> None:
    said = dict(said_in_code())
    assert len(said) > 80
    missing = [f"{where}: {text}" for where, text in said.items() if in_chinese(text) == text]
    assert not missing, "\n".join(missing)


CHECKS = (
    *(f"facility/{name}.py" for name in ("document", "fields", "units", "instant", "registry", "json_path",
                                         "source_entry", "code_map", "site_file")),
    *(f"ticketing/{name}.py" for name in (
        "contract_check", "contract_book", "contract_load", "contract_file", "contract_fields", "contract_match",
        "contract", "terms", "terms_file", "terms_load", "terms_service", "terms_service_file", "terms_service_load",
        "plan_file", "plan", "roster_file", "roster", "calendar", "calendar_days", "calendar_holidays", "limit")),
)  # fmt: skip
"""What checks the files that are edited in the back office."""
NO_PROBLEMS = (
    "X %", "X X", "X at X of X", "every X", "every X Xs", "X (X)", "every X of X", "X open dayXX", "X open XX",
    "X counted X since the last one; due at X", "visit X goes by its meter alone and has no dates",
)  # fmt: skip
"""How terms are written, and what only a caller in the program can do wrong."""


def said_of_files() -> Iterator[tuple[str, str]]:
    """Every sentence with which the check of a file refuses, by its text, and where it stands."""
    for name in CHECKS:
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            for part in _problem_words(node):
                for text in _sentences(part):
                    if " " in text and text not in NO_PROBLEMS:
                        yield text, f"{name}:{part.lineno}"


def _problem_words(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        if name in ("refuse", "_refuse", "Problem", "ValueError"):
            yield from node.args
            yield from (one.value for one in node.keywords if one.arg in ("what", "hint"))
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).strip("()") in ("msg", "what", "hint", "advice"):
        yield node.value
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).strip("()") == "what, hint":
        yield from node.value.elts if isinstance(node.value, ast.Tuple) else ()
    if isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr):
        yield node.value


def _sentences(part: ast.expr) -> list[str]:
    if isinstance(part, ast.IfExp):
        return _sentences(part.body) + _sentences(part.orelse)
    return [_sentence(part)]


def test_every_problem_of_a_file_is_there_in_chinese() -> None:
    said = dict(said_of_files())
    assert len(said) > 150
    missing = [f"{where}: {text}" for text, where in said.items() if in_chinese(text) == text]
    assert not missing, "\n".join(missing)
    assert in_chinese("'pmup' is not a known equipment class; did you mean 'pump'?") == (
        "'pmup' 不是已知的设备类别；是否指 'pump'？"
    )
    assert in_chinese("Input should be less than or equal to 4, got 9") == "不应大于 4，收到 9"


SAID = (
    ("the quote is at version 2, not 1. Read it again and decide anew.",
     "报价当前版本为 2，不是 1。请重新读取后再决定。"),
    ("cannot accept the order: still active by the data: Roof tank. Say in `note` why.",
     "不能验收：数据显示仍未恢复：Roof tank。请在 `note` 中说明原因。"),
    ("cannot acknowledge an order that is acknowledged (by li.na). Possible now: arrive, hold, cancel.",
     "工单状态为已接单（由 li.na 操作），不能执行接单。现在可以：到场、挂起、取消。"),
    ("cannot approve a quote that was rejected by open. It is decided once; send another quote.",
     "报价已由 open 处理为已拒绝，不能执行批准。每份报价只决定一次；请另发报价。"),
    ("cannot accept a complaint that is resolved. Possible now: tell, reopen.",
     "投诉状态为已解决，不能执行受理。现在可以：告知、重开。"),
    ("cannot accept an order that is held (by cancel)", "工单状态为已挂起（由 cancel 操作），不能执行验收"),
    ("only close or a manager can take this quote back", "只有 close 或经理可以撤回此报价"),
    ("the order has changed since version 1: arrive by open, then hold by Li. Read it again and decide anew.",
     "工单自版本 1 以来已变化：open 到场，随后 Li 挂起。请重新读取后再决定。"),
    ("the order has changed since version 4: recover by rules", "工单自版本 4 以来已变化：rules 条件恢复"),
    ("'x' is not a known verb; known are: accept, hold", "'x' 不是已知的操作；已知的有：accept, hold"),
)  # fmt: skip
"""As desks join what is wrong with what to do; names, and what is to be sent, stay as they are."""


@pytest.mark.parametrize(("english", "chinese"), SAID)
def test_what_is_wrong_with_its_advice_verbs_states_and_names(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


def test_every_verb_and_state_is_there_in_chinese() -> None:
    kinds: list[tuple[type[StrEnum], type[StrEnum], str]] = [
        (Verb, Status, "cannot {} an order that is {} (by 7)"),
        (RequestVerb, RequestStatus, "cannot {} a request that is {}"),
        (ComplaintVerb, ComplaintStatus, "cannot {} a complaint that is {}"),
    ]
    for verbs, states, sentence in kinds:
        for verb in verbs:
            for state in states:
                said = in_chinese(sentence.format(verb.value, state.value))
                assert not re.search("[a-z]", said), said
    for verb in (*Verb, OPEN, JOIN, RECOVER):
        said = in_chinese(f"the order has changed since version 1: {verb} by 7, then {verb} by 8")
        assert not re.search("[a-z]", said), said
    for verb, state in zip(QuoteVerb, list(QuoteStatus)[1:], strict=True):
        assert not re.search("[a-z]", in_chinese(f"cannot {verb} a quote that was {state} by 7"))
    for survey in SurveyStatus:
        assert not re.search("[a-z]", in_chinese(f"the survey is {survey} and closed at 7 UTC").replace("UTC", ""))


def test_a_long_text_is_left_as_it_is() -> None:
    for much in ("a. A" * 20_000, "x is no y; " * 20_000, "a. A" * 400):  # whose patterns would take half a minute
        assert in_chinese(much) == much
