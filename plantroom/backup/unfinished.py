"""What says that a restore did not come to its end; looked at by every start, so it imports next to nothing."""

import shutil
from pathlib import Path

from facility.errors import PermanentError

STAGE = ".restore"
"""Folder under `var` in which a restore puts files before they go to their places."""


DONE = ".restored"
"""What it is called once everything is in its place, until it is removed."""


def refuse_unfinished(var: Path) -> None:
    """Raises PermanentError when a restore into `var` was interrupted: nothing may start there. One that was complete
    but for its clearing up is cleared up."""
    shutil.rmtree(var / DONE, ignore_errors=True)
    if (var / STAGE).exists():
        msg = f"a restore into {var} was interrupted; run `plantroom restore` again, it begins anew"
        raise PermanentError(msg)
