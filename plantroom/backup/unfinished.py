"""What says that a restore did not come to its end; looked at by every start, so it imports next to nothing."""

from pathlib import Path

from facility.errors import PermanentError

STAGE = ".restore"
"""Folder under `var` in which a restore puts files before they go to their places."""


def refuse_unfinished(var: Path) -> None:
    """Raises PermanentError when a restore into `var` was interrupted: nothing may start there."""
    if (var / STAGE).exists():
        msg = f"a restore into {var} was interrupted; run `plantroom restore` again, it begins anew"
        raise PermanentError(msg)
