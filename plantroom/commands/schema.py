"""`plantroom schema KIND`: the JSON Schema of a file people write, so that editors complete it."""

import json
from typing import Annotated

import typer
from rich.console import Console

from facility.errors import refuse
from facility.fields import unknown
from plantroom.documents import KINDS


def schema_text(kind: str) -> str:
    """The JSON Schema as text. Raises InputError for an unknown kind."""
    if kind not in KINDS:
        raise refuse("schema", unknown("kind of file", kind, KINDS))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **KINDS[kind].schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def schema(kind: Annotated[str, typer.Argument(help="site, contract, rules, scenario or map")]) -> None:
        """Print the JSON Schema of a file people write."""
        Console(highlight=False, markup=False, soft_wrap=True).print(schema_text(kind))
