"""What the program says in Chinese: with Chinese marks, in files that the fast reader of YAML can read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from punctuation import half_width, half_width_on
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("facility", "ingest", "rules", "ticketing", "simulators", "dashboards", "plantroom", "examples")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(one)


def _files(ending: str) -> list[Path]:
    found = [path for folder in PACKAGES for path in sorted((ROOT / folder).rglob(f"*.{ending}"))]
    assert found
    return found


def test_texts_in_yaml_have_chinese_marks_and_libyaml_reads_them() -> None:
    """What libyaml cannot read (`{en: Why?, zh: ...}` without quotes) is read in Python, six times as slowly."""
    wrong = [
        f"{path.relative_to(ROOT)}: {mark}"
        for path in _files("yaml")
        for text in _texts(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
        for mark in half_width(text)
    ]
    assert not wrong


def test_texts_in_code_have_chinese_marks() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {mark}"
        for path in _files("py")
        if not (text := path.read_text(encoding="utf-8")).isascii()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for mark in half_width(node.value)
    ]
    assert not wrong


@pytest.mark.parametrize("page", ["<b>水箱</b>, <i>水泵</i>", "水箱: 水泵", '<a title="满意吗?请说">', "水箱(一)"])
def test_half_width_marks_are_found(page: str) -> None:
    assert half_width_on(page)


def test_marks_beside_other_scripts_and_chinese_ones_are_good() -> None:
    assert not half_width_on("<b>水箱</b>、<i>水泵</i>：B2, B3（屋顶），时限 5 h: 好")
