"""Three short reports that hold what breaks offsets, and stand-ins that need no model."""

import os
from pathlib import Path

import pytest

from corpus.home import Home, open_home
from corpus.library import Library
from index.weights import list_models

HARBOUR = """# 海港市2031年政府工作报告

## 一、2030年工作回顾
全市地区生产总值１２３４.5亿元，增长5.2%。新建学校12所，𠮷田片区改造完成。
建成充电桩3,600个，café 商圈开街。

| 指标 | 2030年 |
|---|---|
| 就业 | 8.1万人 |

## 二、2031年目标
地区生产总值增长5.5%左右，城镇新增就业8万人以上。
"""

HILL = """丘陵县关于加强饮用水管理的通知

丘政发〔2030〕7号

一、目标
到2031年，集中供水率达到百分之九十八。

丘陵县人民政府
2030年3月5日
""".replace("\n", "\r\n")

ENGLISH = """# Harbour City: transport plan

## Buses
The city bought 120 electric buses in 2030, at a cost of 1.5 million yuan each.

## Cycling
Cycle lanes grew to 86 km. The cafe\u0301 district has 14 km of them.
"""


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder with three reports: Markdown, GB18030 text with CRLF, and English."""
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "harbour.md").write_text(HARBOUR, encoding="utf-8")
    (folder / "hill.txt").write_bytes(HILL.encode("gb18030"))
    (folder / "transport.md").write_text(ENGLISH, encoding="utf-8")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library in a folder of its own."""
    root = tmp_path / "home"
    root.mkdir()
    return Library(Home(root))


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder with the real default models; skips where `make env` has not prepared them."""
    folder = open_home(os.environ.get("WENCE_HOME")).models
    missing = [model.name for model in list_models(folder) if model.state != "ready"]
    if missing:
        pytest.skip(f"no weights of {', '.join(missing)}: run `make env`")
    return folder
