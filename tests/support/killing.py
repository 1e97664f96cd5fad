"""Runs the program's commands so that they kill themselves at one of the things they do to files, the nth.

`python killing.py N WORDS...`: SIGKILL right before the Nth time it opens, makes, moves or removes something; with 0 it
goes on to its end and says on standard error how many there were, and which of them was the last that renamed
something. With -N it is Ctrl-C instead of SIGKILL.
"""

import os
import signal
import sys

EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.move")
_READ = ("r", "rb")


class Count:
    """An audit hook. What is only read does not count, nor what lies elsewhere than in the working folder."""

    def __init__(self, nth: int) -> None:
        self.nth, self.seen, self.renamed, self._root = nth, 0, 0, os.getcwd()  # noqa: PTH109 - pathlib would raise audit events itself

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in EVENTS or (event == "open" and arguments[1] in (*_READ, None)):
            return
        path = str(arguments[0])
        if path.startswith("/") and not path.startswith(self._root):
            return
        self.seen += 1
        if event == "os.rename":
            self.renamed = self.seen
        if self.seen == abs(self.nth):
            os.kill(os.getpid(), signal.SIGKILL if self.nth > 0 else signal.SIGINT)


if __name__ == "__main__":
    from plantroom.cli import main

    count = Count(int(sys.argv[1]))
    sys.argv = ["plantroom", *sys.argv[2:]]
    sys.addaudithook(count)
    try:
        main()
    finally:
        sys.stderr.write(f"\nfiles were touched {count.seen} times, the last rename was {count.renamed}\n")
