"""What is released runs without the repository: what the program opens is in the wheel, and the archive makes it."""

import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import httpx
import pytest
from commanding import Commands
from running import ROOT, free_ports, wait_until

from plantroom import __version__
from plantroom.cli import COMMANDS

PACKAGES = ("facility", "ingest", "rules", "ticketing", "simulators", "dashboards", "plantroom")
WHAT_GOES_IN = """
import sys
from pathlib import Path
from setuptools.config.pyprojecttoml import read_configuration
from setuptools.dist import Distribution
known = read_configuration("pyproject.toml")
found = known["tool"]["setuptools"]
made = Distribution({"packages": found["packages"], "package_data": found["package-data"],
                     "include_package_data": False, "script_name": "none"})
build = made.get_command_obj("build_py")
build.build_lib = "."
build.ensure_finalized()
print(known["project"]["version"])
print("\\n".join(build.get_outputs(include_bytecode=False)))
"""


def in_packages() -> set[str]:
    """Every file of the packages."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_packages_goes_into_the_wheel_and_the_version_is_one(plantroom: Commands) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WHAT_GOES_IN], cwd=ROOT, capture_output=True, text=True, check=True
    )
    version, *outputs = done.stdout.splitlines()
    packed = {str(Path(path)) for path in outputs}
    assert in_packages() - packed == set(), "name the ending in package-data of pyproject.toml"
    for needed in ("plantroom/migrations/script.py.mako", "plantroom/demo/site.yaml", "dashboards/web/static/sw.js"):
        assert needed in packed
    assert version == __version__
    assert plantroom("--version").out.strip() == __version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dynamic"] == ["version"], "the version stands in plantroom/__init__.py alone"


def test_the_changelog_begins_with_this_version() -> None:
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0] == __version__


def test_no_module_looks_for_files_beside_the_packages() -> None:
    """`__file__` with parents leads out of the wheel."""
    for name in sorted(in_packages()):
        if name.endswith(".py"):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert not re.search(r"__file__\)?[^\n]*(\.parents\[|parent\.parent)", text), name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the source archive, as `make dist` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    venv.create(folder / "tools", with_pip=True)
    python = folder / "tools/bin/python"
    tools = subprocess.run(
        [python, "-I", "-m", "pip", "install", "-q", "build"], capture_output=True, text=True, check=False
    )
    if tools.returncode:
        pytest.skip(f"no package index, so nothing to build with: {tools.stderr[-200:]}")
    subprocess.run([python, "-I", "-m", "build", "--outdir", folder / "out", ROOT], check=True, capture_output=True)
    return folder / "out"


@pytest.mark.soak
def test_archive_and_wheel_hold_what_they_should(built: Path) -> None:
    (wheel,), (archive,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert in_packages() <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "docs/"))]
    with tarfile.open(archive) as packed:
        inside = {name.split("/", 1)[-1] for name in packed.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "docs/backup.md", "docker-compose.yml", *in_packages()} <= inside


@pytest.fixture
def installed(built: Path, tmp_path: Path) -> Path:
    """The program of a fresh environment into which the wheel was installed."""
    venv.create(tmp_path / "fresh", with_pip=True)
    (wheel,) = built.glob("*.whl")
    subprocess.run([tmp_path / "fresh/bin/python", "-I", "-m", "pip", "install", "-q", str(wheel)], check=True)
    return tmp_path / "fresh/bin/plantroom"


@pytest.mark.soak
def test_the_demo_runs_from_an_empty_folder_of_a_fresh_environment(installed: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {"PATH": f"{installed.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*words: str) -> str:
        done = subprocess.run(
            [installed, *words], env=environment, cwd=empty, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version").strip() == __version__
    for command in COMMANDS:
        run(command, "--help")
    run("init", "mine")
    run("check", "mine/site.yaml", "mine/contract.yaml", "mine/rules")
    http_port, mqtt_port = free_ports(2)
    words = [str(installed), "demo", "--port", str(http_port), "--mqtt-port", str(mqtt_port)]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(words, env=environment, cwd=empty, stdout=log, stderr=log) as demo,
    ):
        try:
            base = f"http://127.0.0.1:{http_port}"

            def answers(path: str) -> bool:
                try:
                    token = (empty / "var/token").read_text(encoding="ascii").strip()
                    headers = {"Authorization": f"Bearer {token}"}
                    return httpx.get(f"{base}{path}", headers=headers, timeout=10, trust_env=False).status_code == 200
                except (httpx.HTTPError, FileNotFoundError):
                    return False

            wait_until(lambda: answers("/readyz"), 120, f"the demo; log: {tmp_path / 'log'}")
            for path in ("/", "/work-orders", "/rules", "/office", "/sw.js", "/api/work-orders", "/metrics"):
                assert answers(path), path
            run("backup", "backups")
        finally:
            demo.terminate()
            demo.wait(60)
