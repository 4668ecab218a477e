"""What is installed: our four packages and the front door, whole, and nobody else's under those names."""

import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"corpus", "index", "chatbot", "eval", "wence"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    source = folder / "source"
    listing = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    for name in subprocess.run(listing, capture_output=True, check=True).stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("samples/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True, capture_output=True)
    return next(folder.glob("wence-*.whl"))


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0].removesuffix(".py") for name in names if ".dist-info/" not in name}
    assert tops == OURS


def test_the_wheel_holds_every_source_file_and_what_the_window_loads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in OURS - {"wence"}
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".css", ".js"}
    }
    assert wanted - names == set()


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_name_is_ours_alone(name: str) -> None:
    if name not in packages_distributions():
        pytest.skip("wence is not installed in this environment")
    assert set(packages_distributions()[name]) == {"wence"}
