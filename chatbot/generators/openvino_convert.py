"""A GGUF file to an OpenVINO folder, once. The converter needs 4 GB for a 1 GB model, so it runs in its own process."""

import hashlib
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

from filelock import FileLock

from chatbot.errors import ModelLoadError

_FILES = tuple(f"openvino_{part}.{kind}" for part in ("model", "tokenizer", "detokenizer") for kind in ("xml", "bin"))
_SAMPLE_BYTES = 1 << 20


def converted_folder(model: Path, cache_folder: Path | None = None) -> Path:
    """Return the folder with the OpenVINO form of `model`, converting a GGUF file the first time.

    A folder is returned as it is. A converted file is kept in `cache_folder`, or beside the GGUF file. Raises
    ModelLoadError if there is no such model, no room for it, or no way to read it.
    """
    if model.is_dir():
        return model
    if not model.is_file():
        raise ModelLoadError(f"{model}: no such model; `wence models prepare` makes the default one")
    target = (cache_folder or model.parent) / f"{model.stem}-openvino-{_fingerprint(model)}"
    if target.is_dir():
        return target
    try:
        _convert_once(model.resolve(), target)
    except OSError as error:
        raise ModelLoadError(
            f"{target}: cannot write the converted model ({error.strerror}); make room there"
        ) from error
    return target


def _fingerprint(model: Path) -> str:
    """Return 16 hex digits of the file's size, start, middle and end: enough to tell model files apart, at once."""
    size = model.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with model.open("rb") as file:
        for start in (0, size // 2, max(0, size - _SAMPLE_BYTES)):
            file.seek(start)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]


def _convert_once(model: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if target.is_dir():  # another process made it while this one waited
            return
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a conversion that was killed
        draft.mkdir()
        try:
            _run_converter(model, draft)
            _publish(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _run_converter(model: Path, draft: Path) -> None:
    # The converter writes beside the file it reads, so it reads through a link in the draft.
    link = draft / "model.gguf"
    link.symlink_to(model)
    ended = subprocess.run(
        [sys.executable, "-m", "chatbot.generators.openvino_convert", str(link)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    link.unlink()
    missing = [name for name in _FILES if not (draft / name).is_file()]
    if ended.returncode != 0 or missing:
        said = (ended.stderr.strip().splitlines() or [f"no {', '.join(missing)}"])[-1]
        raise ModelLoadError(f"{model}: OpenVINO cannot convert it ({said}); run `wence models verify`")


def _publish(draft: Path, target: Path) -> None:
    for path in [*(draft / name for name in _FILES), draft]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    draft.rename(target)


def _convert(gguf: Path) -> None:
    """Write model and tokenizers beside `gguf`. Run as a program of its own."""
    warnings.simplefilter("ignore")
    import openvino_genai as genai  # type: ignore[import-untyped]

    tokenizer = genai.Tokenizer(str(gguf), enable_save_ov_model=True)
    scheduler = genai.SchedulerConfig()
    scheduler.num_kv_blocks = 1
    genai.ContinuousBatchingPipeline(str(gguf), tokenizer, scheduler, "CPU", enable_save_ov_model=True)


if __name__ == "__main__":
    _convert(Path(sys.argv[1]))
