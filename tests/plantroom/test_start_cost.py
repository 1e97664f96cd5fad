"""What a start leaves for later, and that nothing is left out for good."""

import gc
import subprocess
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory
from running import ROOT

from plantroom.accounts.password import NOBODY, is_outdated, is_password
from plantroom.database import known_schemas
from plantroom.heap import grow_heap, settle_heap

LATER = ("alembic", "apprise")
"""For a database of another schema, and for the first notice."""
ASK = "import sys, plantroom.engine_role, plantroom.web_role; print(*set(sys.argv) & set(sys.modules))"


def test_a_start_loads_nothing_that_most_starts_do_not_need() -> None:
    found = subprocess.run([sys.executable, "-c", ASK, *LATER], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


def test_garbage_is_searched_again_once_the_start_is_over() -> None:
    grow_heap()
    assert not gc.isenabled()
    settle_heap()
    try:
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_a_name_nobody_has_costs_as_much_as_one_somebody_has() -> None:
    assert not is_outdated(NOBODY), "it has the parameters by which passwords are kept now"
    assert not is_password(None, "password1234")


def test_the_files_of_the_steps_say_the_same_as_the_steps() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "plantroom/migrations"))
    config.set_main_option("path_separator", "os")
    steps = ScriptDirectory.from_config(config)
    assert list(known_schemas()) == [step.revision for step in steps.walk_revisions()][::-1]
    assert known_schemas()[-1] == steps.get_current_head()
