"""The scoreboard as a page of its own (English and Chinese, no script, no other file), and as a table in a document."""

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from facility.errors import refuse
from facility.instant import format_instant, from_us
from plantroom.score_board import GOAL, Scoreboard, delay

BEGIN, END = "<!-- scoreboard -->", "<!-- /scoreboard -->"


def html(board: Scoreboard) -> str:
    """The whole page."""
    template = files("plantroom").joinpath("scoreboard.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"delay": delay, "at": lambda at_us: format_instant(from_us(at_us))}
    return environment.from_string(template).render(board=board, goal=GOAL) + "\n"


def put_table(document: str, where: str, table: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The document with the table between its marks. Raises InputError when it has none."""
    before, begin, rest = document.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        what = f"has no place for the table: no {marks[0]} or no {marks[1]}"
        raise refuse(where, what, "Add both marks where it belongs.")
    return f"{before}{begin}\n\n{table}\n{end}{after}"
