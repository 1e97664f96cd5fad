"""A contract with everything it promises to people, a teller that remembers, and what is kept of passwords."""

from functools import cache
from pathlib import Path

from sqlmodel import Session

from plantroom.accounts.password import hash_password
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.service_word import Word

SERVICE = """    requests: {calendar: office, review: "24 h", visit: "48 h", duplicate_window: "3 days", clause: "7.1"}
    complaints:
      calendar: always
      accept: "2 h"
      answer: "24 h"
      resolve: "72 h"
      tell: "24 h"
      urgent: {accept: "30 min", resolve: "24 h"}
      repeat_window: "30 days"
      escalate_to: [manager]
      clause: "7.2"
    surveys:
      target: 8.5
      forms:
        - {id: repair, kind: repair, reminders: ["2 days", "5 days"], closes: "10 days", weights: {solved: 2}}
        - {id: recommend, kind: nps, send_on: half_year}
    claims: {calendar: office, plan: "24 h", visit: "48 h", follow_up: quarter, clause: "8.1"}
    costs: {currency: CNY, clause: "6.1", labour_per_hour: 120, call_out: 50, free_parts_up_to: 20, quote_above: 500,
            installer: Builder, warranty: [{clause: "8.2", match: {class: elevator}, years: 2}]}
"""


@cache
def hashed(password: str) -> str:
    """What is kept of a password: the same for all the people of a run, for hashing takes 200 ms of CPU on purpose."""
    return hash_password(password)


def contract_text(more: str = SERVICE) -> str:
    """The contract of `tests/data/ticketing` with more terms in its first revision."""
    path = Path(__file__).parents[1] / "data/ticketing/contract.yaml"
    first = '    effective_at: "2026-01-01"\n'
    return path.read_text(encoding="utf-8").replace(first, first + more, 1)


def service_book(more: str = SERVICE) -> ContractBook:
    """A book of that contract."""
    return ContractBook([parse_contract(contract_text(more), "contract.yaml")])


class Remembered:
    """A teller whose words can be read; the same key is kept once."""

    def __init__(self) -> None:
        self.words: dict[str, Word] = {}

    def tell(self, session: Session, word: Word) -> None:
        assert session.is_active
        self.words.setdefault(word.key, word)

    def told(self, event: str) -> list[Word]:
        return [word for word in self.words.values() if word.event == event]
