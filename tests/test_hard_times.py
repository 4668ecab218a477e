"""A full disk, a read-only folder, a cut network, a kill: run for real, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HASH = {"WENCE_INDEX__EMBEDDER": "hash"}


def environment(home: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "WENCE_HOME": str(home), "PYTHONPATH": str(ROOT), **(extra or HASH)}


def wence(home: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `wence`, in a mount namespace of its own after the shell command `before` if there is one."""
    command = [sys.executable, "-m", "wence", *arguments]
    if before:
        command = ["unshare", "--mount", "sh", "-c", f'{before} && exec "$@"', "sh", *command]
    return subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False, timeout=120)


def documents(home: Path) -> list[dict[str, object]]:
    return list(json.loads(wence(home, "documents", "--json").stdout))


@pytest.fixture
def own_mounts() -> None:
    """Skip where this process may not mount."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("needs root and mount namespaces, to make a full or read-only disk")


def many_reports(folder: Path, count: int, chars: int = 3000) -> Path:
    folder.mkdir()
    for number in range(count):
        sentences = "".join(f"第{number}号乡镇第{at}季度新增就业{number * 7 + at}人。" for at in range(chars // 20))
        (folder / f"{number:03}.txt").write_text(f"第{number}号报告\n{sentences}", encoding="utf-8")
    return folder


@pytest.mark.privileged
@pytest.mark.usefixtures("own_mounts")
def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    home, reports = tmp_path / "home", many_reports(tmp_path / "reports", 60)
    image = tmp_path / "disk"
    image.mkdir()
    # the folder is copied out of the small disk after the failed run, since its mount ends with the process
    small = f"mount -t tmpfs -o size=1m none {home}"
    home.mkdir()
    script = f'{small} && "$@"; code=$?; cp -a {home}/. {image}/; exit $code'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-m", "wence", "ingest", str(reports)]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "free some disk space" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    kept = len(documents(image))
    assert wence(image, "ingest", str(reports)).returncode == 0
    assert 0 < kept < len(documents(image)) == 60


@pytest.mark.privileged
@pytest.mark.usefixtures("own_mounts")
def test_a_read_only_folder_is_searched_but_not_written(tmp_path: Path) -> None:
    home, reports = tmp_path / "home", many_reports(tmp_path / "reports", 3)
    assert wence(home, "ingest", str(reports)).returncode == 0
    read_only = f"mount --bind {home} {home} && mount -o remount,ro,bind {home}"
    found = wence(home, "search", "新增就业", "--json", before=read_only)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)
    refused = wence(home, "ingest", str(reports), before=read_only)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert str(home) in refused.stderr


def test_a_killed_ingest_keeps_whole_documents_and_goes_on(tmp_path: Path) -> None:
    home, reports = tmp_path / "home", many_reports(tmp_path / "reports", 120)
    command = [sys.executable, "-m", "wence", "ingest", str(reports), "--json"]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for _ in range(10):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = documents(home)
    assert 10 <= len(kept) < 120
    again = wence(home, "ingest", str(reports), "--json")
    outcomes = [json.loads(line).get("outcome") for line in again.stdout.splitlines()]
    assert outcomes.count("unchanged") == len(kept)
    assert len(documents(home)) == 120
    assert json.loads(wence(home, "search", "第7号乡镇", "--json").stdout)


@pytest.mark.model
@pytest.mark.privileged
def test_a_question_is_answered_without_any_network(tmp_path: Path, reports: Path, models: Path) -> None:
    """In a network namespace without even loopback, so any use of the network would fail."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        pytest.skip("needs root and network namespaces, to cut the network")
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(models)
    offline = ["unshare", "--net", sys.executable, "-m", "wence"]
    plain = {key: value for key, value in environment(home).items() if key != "WENCE_INDEX__EMBEDDER"}
    subprocess.run([*offline, "ingest", str(reports)], env=plain, check=True, capture_output=True, timeout=300)
    asked = [*offline, "ask", "丘陵县2031年集中供水率的目标是多少？", "--json"]
    done = subprocess.run(asked, env=plain, check=True, capture_output=True, text=True, timeout=300)
    answer = json.loads(done.stdout)
    assert answer["model"]
    assert answer["evidence"]


def test_stopping_with_ctrl_c_is_one_line(tmp_path: Path) -> None:
    home, reports = tmp_path / "home", many_reports(tmp_path / "reports", 120)
    command = [sys.executable, "-m", "wence", "ingest", str(reports)]
    process = subprocess.Popen(command, env=environment(home), stderr=subprocess.PIPE, text=True)
    assert process.stderr
    process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
