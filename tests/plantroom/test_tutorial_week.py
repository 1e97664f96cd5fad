"""The tutorial of a contract's week: every command as the page has it, in its order, and what each should say."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from commanding import Commands
from markdown import Page
from running import ROOT

from facility.clock import RealClock

PAGE = Page(ROOT / "docs/tutorial-contract-week.md")
SAYS = (
    ("import assets pumps.csv --out pumps.yaml --dry-run", "1 assets, nothing wrong; nothing was written"),
    ("request send 'No water", "RQ-000002  joined"),
    ("request review RQ-000001", "accepted"),
    ("order list", "WO-000001  open  priority 2"),
    ("order act WO-000001 diagnose", "WO-000001  arrived"),
    ("cost show WO-000001", "The work is chargeable by the cost standard below."),
    ("cost part bearing", "bearing  Bearing 6205  85.50 CNY  4 in stock"),
    ("cost quote WO-000001", "sent  651 CNY"),
    ("cost book WO-000001 part", "total 651.00 CNY, the customer pays 651.00"),
    ("order act WO-000001 complete", "WO-000001  completed"),
    ("survey send", "1 sent, 0 reminded, 0 closed"),
    ("survey answer", "answered"),
    ("complaint list", "CP-000001  received"),
    ("complaint act CP-000001 tell", "CP-000001  told"),
    ("order act WO-000001 close", "WO-000001  closed"),
    ("cost show WO-000002", "Inside the warranty"),
    ("report", "penalties"),
    ("contract compare", "orders"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the repository's examples and the files that the page shows."""
    shutil.copytree(ROOT / "examples/contracts", tmp_path / "examples/contracts")
    (tmp_path / "site.yaml").write_text(PAGE.blocks("yaml")[0], encoding="utf-8")
    (tmp_path / "pumps.csv").write_text(PAGE.blocks("csv")[0], encoding="utf-8")
    other = (tmp_path / "examples/contracts/residential-estate.yaml").read_text(encoding="utf-8")
    (tmp_path / "other.yaml").write_text(other.replace("estate-2026", "estate-2027"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_week_under_one_contract(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plantroom, names, unsaid = Commands(monkeypatch, capsys), {"MONTH": f"{RealClock().now():%Y-%m}"}, list(SAYS)
    for line in PAGE.commands():
        words = [names.get(word, word) for word in shlex.split(line)]
        if words[0] == "export":
            name, value = words[1].split("=", 1)
            monkeypatch.setenv(name, value)
            continue
        answer = plantroom(*words[1:])
        assert answer.code == 0, f"{line}\n{answer.out}{answer.err}"
        for noun, prefix in (("QUOTE", "qt_"), ("SURVEY", "sv_")):
            if found := re.search(rf"\b{prefix}[0-9a-f]{{32}}\b", answer.out):
                names[noun] = found[0]
        told = next((one for one in unsaid if shlex.join(words[1:]).startswith(one[0])), None)
        if told is not None:
            assert told[1] in answer.out, f"{line}\n{answer.out}"
            unsaid.remove(told)
    assert not unsaid
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "服务报告" in page
    assert "第二十五条" in page or "全部达标" in page or "三项改进" in page
