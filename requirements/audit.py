"""`make check`: asks for known weaknesses of the pinned versions, once a day, and not for long.

Without a network, or when no answer comes in time, it says so and is content: a check that fails with the line is soon
switched off. Known weaknesses fail it, each with its number and the version that mends it.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINS = [HERE / "core.txt", HERE / "server.txt"]
"""What runs in production; the tools of developers see no foreign data."""
SECONDS = 8.0


def fingerprint(day: str) -> str:
    """Of the pins on one day (YYYY-MM-DD)."""
    return hashlib.sha256(day.encode() + b"".join(path.read_bytes() for path in PINS)).hexdigest()


def ask(program: str, seconds: float) -> tuple[str, list[str]]:
    """Why there is no answer, empty when there is one; and the weaknesses, one a line."""
    command = [program, "--requirement", str(PINS[-1]), "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", str(max(1, int(seconds)))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except FileNotFoundError:
        return f"{program} is not installed", []
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} s", []
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return f"it could not ask: {last[:200]}", []
    return "", [
        f"{one['name']} {one['version']}: {weak['id']}, mended in {', '.join(weak['fix_versions']) or 'no version yet'}"
        for one in found
        for weak in one.get("vulns", ())
    ]


def main() -> int:
    """0 when nothing is known, or nobody could be asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="pip-audit")
    parser.add_argument("--stamp", type=Path, required=True, help="file that says what was asked last")
    parser.add_argument("--day", required=True, help="today, YYYY-MM-DD")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    mark = fingerprint(asked.day)
    if asked.stamp.exists() and asked.stamp.read_text(encoding="ascii") == mark:
        sys.stdout.write("pip-audit: no known weakness (asked today)\n")
        return 0
    reason, weak = ask(asked.program, asked.seconds)
    if reason:
        sys.stdout.write(f"pip-audit: skipped, {reason}\n")
        return 0
    for line in weak:
        sys.stdout.write(f"pip-audit: {line}\n")
    if weak:
        return 1
    asked.stamp.write_text(mark, encoding="ascii")
    sys.stdout.write("pip-audit: no known weakness\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
