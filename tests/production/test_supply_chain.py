"""What is inside, and whether something is known against it: the list of parts, and the daily question."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT

PINS = ROOT / "requirements"
DAY = "2026-11-27"


def pinned() -> dict[str, str]:
    """Name -> version of what is in the image."""
    text = "".join((PINS / name).read_text(encoding="utf-8") for name in ("core.txt", "server.txt"))
    return {name.lower(): version for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


def test_the_list_of_what_is_inside_names_every_pin(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nsbom:")[1]
    line = next(line for line in recipe.splitlines() if "cyclonedx-py" in line)
    program = Path(sys.executable).with_name("cyclonedx-py")
    if not program.exists():
        pytest.skip("no cyclonedx-py here: make .venv/dev installs it")
    words = line.replace("build/sbom.json", str(tmp_path / "sbom.json")).split()[1:]
    subprocess.run([program, *words], check=True, capture_output=True, cwd=ROOT)
    found = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert found["bomFormat"] == "CycloneDX"
    assert {one["name"].lower(): one["version"] for one in found["components"]} == pinned()
    assert all(one["externalReferences"][0]["hashes"] for one in found["components"])
    assert found["metadata"]["component"]["name"] == "plantroom"


def audit(program: Path, stamp: Path, day: str = DAY) -> tuple[int, str]:
    """The exit code of `make check`'s question with another program in the place of pip-audit, and what it said."""
    command = [sys.executable, str(PINS / "audit.py"), "--program", str(program), "--stamp", str(stamp)]
    done = subprocess.run([*command, "--day", day, "--seconds", "0.7"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def fake(folder: Path, script: str) -> Path:
    path = folder / "pip-audit"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'ConnectionError: no route' >&2; exit 1", "skipped, it could not ask: ConnectionError: no route"),
        ("exec tail -f /dev/null", "skipped, no answer within 0.7 s"),
        (None, "is not installed"),
    ],
)
def test_without_an_answer_it_is_skipped_with_the_reason(tmp_path: Path, script: str | None, says: str) -> None:
    program = fake(tmp_path, script) if script is not None else tmp_path / "nothing"
    code, said = audit(program, tmp_path / "stamp")
    assert code == 0
    assert says in said
    assert not (tmp_path / "stamp").exists(), "it asks again the next time"


def test_a_known_weakness_fails_the_check_with_its_number(tmp_path: Path) -> None:
    weak = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    answer = json.dumps({"dependencies": [{"name": "a", "version": "1.0", "vulns": [weak]}]})
    code, said = audit(fake(tmp_path, f"echo '{answer}'; exit 1"), tmp_path / "stamp")
    assert (code, said) == (1, "pip-audit: a 1.0: PYSEC-1, mended in 2.0\n")
    assert not (tmp_path / "stamp").exists()


def test_it_asks_once_a_day_and_again_when_the_pins_change(tmp_path: Path) -> None:
    count, stamp = tmp_path / "count", tmp_path / "stamp"
    program = fake(tmp_path, f"""echo asked >> {count}; echo '{{"dependencies": []}}'""")
    assert audit(program, stamp) == (0, "pip-audit: no known weakness\n")
    assert audit(program, stamp) == (0, "pip-audit: no known weakness (asked today)\n")
    assert audit(program, stamp, "2026-11-28")[0] == 0
    assert count.read_text() == "asked\nasked\n"
    stamp.write_text("of other pins")
    audit(program, stamp)
    assert count.read_text() == "asked\nasked\nasked\n"
