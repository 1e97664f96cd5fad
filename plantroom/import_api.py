"""Routes of tables of assets and technicians: checked, and answered with the file they make. Nothing is written."""

import os
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from facility.registry import Registry
from plantroom.files import read_texts
from plantroom.imports import Imported, import_assets, import_people
from plantroom.settings import Settings
from ticketing.problem import REFUSALS, refuse

MOST_BYTES = 2_000_000
Table = Annotated[bytes, Body(media_type="text/csv", max_length=MOST_BYTES, description="CSV as a spreadsheet exports")]
_TABLE = "the table"


class ImportedView(BaseModel):
    """The file that the table makes, to be saved as it is; how many lines are new, and how many replace others."""

    file: str
    added: int
    replaced: int


def build_import_router(
    settings: Settings, registry: Callable[[], Registry], environment: Mapping[str, str] = os.environ
) -> APIRouter:
    """The routes; the gate has checked who may."""
    router = APIRouter(prefix="/api/import", tags=["import"], responses=REFUSALS)

    @router.post("/assets")
    def assets(table: Table) -> ImportedView:
        """Check a table of assets (id, name, class, building ...) and answer with the site file that adds them; or say
        (422) every problem with row and column."""
        return _view(import_assets(table, _TABLE, registry(), "the site file"))

    @router.post("/technicians")
    def technicians(table: Table) -> ImportedView:
        """Check a table of technicians and answer with the roster as it would be with them."""
        if settings.roster is None:
            refuse(409, "there is no roster", "PLANTROOM_ROSTER", "`plantroom init` writes one to begin with.")
        ((name, text),) = read_texts([settings.roster], "roster").items()
        return _view(import_people(table, _TABLE, (name, text), registry(), environment))

    return router


def _view(made: Imported) -> ImportedView:
    return ImportedView(file=made.text, added=made.added, replaced=made.replaced)
