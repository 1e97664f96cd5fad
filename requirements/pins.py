"""`make pins`: solves the ranges of pyproject.toml and dev.in and writes exact versions with the hash of every file.

Each hash is that of one wheel or source archive of the version, for any platform, so that pip takes nothing else from
whatever index it asks. core.txt is what the program needs, server.txt adds the extras of the image, dev.txt the tools.
With --keep the versions that are written down stay, and only what is missing is added.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER_EXTRAS = ("postgres", "tls", "oidc", "report")
PYTHON = "3.11.5"
"""The oldest patch of the oldest Python that all of the tools run on; markers say what differs elsewhere."""


def solve(uv: str, sources: list[str], constraints: list[Path], out: Path) -> dict[str, str]:
    """Name -> its lines (version, marker, hashes)."""
    out.unlink(missing_ok=True)
    command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON, "--generate-hashes"]
    command += ["--no-annotate", "--no-header", "--no-emit-index-url", "--output-file", str(out), *sources]
    for path in constraints:
        command += ["--constraint", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE.parent)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", out.read_text(encoding="utf-8").strip())
    return {re.split(r"[=\[ ]", block, maxsplit=1)[0].lower(): block for block in blocks}


def versions(folder: Path) -> str:
    """The exact versions that are written down, as constraints."""
    lines = [line for path in sorted(folder.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z0-9]", line)) + "\n"


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", default="uv", help="the solver")
    parser.add_argument("--work", type=Path, default=HERE.parent / "build", help="folder for what is in between")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    kept = asked.work / "kept.txt"
    kept.write_text(versions(HERE) if asked.keep else "", encoding="utf-8")
    extras = [f"--extra={name}" for name in SERVER_EXTRAS]
    wanted = (
        ("core.txt", "", ["pyproject.toml"]),
        ("server.txt", "-r core.txt", ["pyproject.toml", *extras]),
        ("dev.txt", "-r server.txt", ["pyproject.toml", *extras, "requirements/dev.in"]),
    )
    constraints, there = [kept], dict[str, str]()
    for name, first, sources in wanted:
        found = solve(asked.uv, sources, constraints, asked.work / f"solved-{name}")
        fresh = [block for key, block in found.items() if there.get(key) != block]  # a marker may have gone
        (HERE / name).write_text("\n".join(([first] if first else []) + fresh) + "\n", encoding="utf-8")
        there |= found
        before = asked.work / f"before-{name}"
        before.write_text(_plain(there), encoding="utf-8")
        constraints = [kept, before]
    sys.stdout.write(f"{len(there)} packages\n")


def _plain(blocks: dict[str, str]) -> str:
    return "\n".join(block.splitlines()[0].rstrip(" \\") for block in blocks.values()) + "\n"


if __name__ == "__main__":
    main()
