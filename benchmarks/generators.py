"""Compares the local engines end to end: first token, whole answer, memory, loading, and eight askers at once.

Run: python -m benchmarks.generators [MODEL.gguf] [--engines openvino llama.cpp] [--threads N] [--parallel N]

Prints a Markdown table. Each engine runs in a process of its own; memory is the sum of the peaks of that process and
of those it started. Questions alone come one after the other, each with evidence never read before. The last row says
how much of the machine other programs took meanwhile: above a few percent, the figures are not worth keeping.
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

import psutil  # type: ignore[import-untyped]

from benchmarks.generator_prompts import PROMPTS, prompt, system_prompt
from chatbot.generate import Engine, Generator, GeneratorSettings, Message, Sampling, open_generator
from corpus.commands import open_home_folder
from index.weights import generator_path

T = TypeVar("T")
ASKERS = 8
REPLY_TOKENS = 60
WORDS = ("有", "没有")


@dataclass(frozen=True, slots=True)
class Timed:
    """One answer: seconds to its first piece and to its end, and its length in tokens."""

    first: float
    whole: float
    tokens: int


def ask(generator: Generator, messages: Sequence[Message]) -> Timed:
    """Return how long the answer to one prompt took."""
    start = time.perf_counter()
    first, pieces = 0.0, []
    for piece in generator.stream(messages, Sampling(REPLY_TOKENS)):
        first = first or time.perf_counter() - start
        pieces.append(piece)
    whole = time.perf_counter() - start
    return Timed(first, whole, generator.count_tokens("".join(pieces)))


def measure(settings: GeneratorSettings) -> dict[str, str]:
    """Return the column of one engine: what was measured, and its figure."""
    memory = PeakMemory()
    load, generator = timed(lambda: open_generator(settings))
    warm, _ = timed(lambda: generator.warm_up(system_prompt()))
    others = OtherPrograms()
    alone = [ask(generator, prompt(number)) for number in range(PROMPTS)]
    again = [ask(generator, prompt(number)) for number in range(PROMPTS - 2, PROMPTS)]
    words, _ = timed(lambda: generator.next_word_probabilities(prompt(PROMPTS - 1), WORDS))
    with ThreadPoolExecutor(ASKERS) as threads:
        crowd_seconds, crowd = timed(
            lambda: list(threads.map(lambda number: ask(generator, prompt(number, "新编")), range(ASKERS)))
        )
    column = {
        "load (converted before)": f"{load:.1f} s",
        "warm-up": f"{warm:.1f} s",
        "alone, new evidence: first token p50": f"{p50(t.first for t in alone):.2f} s",
        "alone, new evidence: whole answer p50 / worst": spread(t.whole for t in alone),
        "alone: tokens of an answer p50": f"{p50(t.tokens for t in alone):.0f}",
        "alone: decode": f"{decode_rate(alone):.1f} tokens/s",
        "same evidence again: first token p50": f"{p50(t.first for t in again):.2f} s",
        "two next words, prompt known": f"{words:.2f} s",
        "eight at once: first token p50 / p95": spread(t.first for t in crowd),
        "eight at once: whole answer p50 / p95": spread(t.whole for t in crowd),
        "eight at once: throughput": f"{sum(t.tokens for t in crowd) / crowd_seconds:.1f} tokens/s",
        "memory, peak": f"{memory.bytes / 2**30:.2f} GiB",
        "processor time taken by other programs": f"{others.share():.0%}",
    }
    generator.close()
    return column


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how long `work` took, in seconds, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def p50(values: Iterable[float]) -> float:
    return statistics.median(values)


def spread(values: Iterable[float]) -> str:
    """Return median and 95th percentile, by nearest rank: of at most 19 values, the largest."""
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f} / {ordered[-(-95 * len(ordered) // 100) - 1]:.2f} s"


def decode_rate(answers: Sequence[Timed]) -> float:
    """Return the tokens after the first per second spent on them, over all answers."""
    return sum(t.tokens - 1 for t in answers) / sum(t.whole - t.first for t in answers)


class PeakMemory:
    """Watches, from its making on, the resident memory of this process and of those it starts, added up."""

    def __init__(self) -> None:
        self.bytes = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        own = psutil.Process()
        while True:
            self.bytes = max(self.bytes, sum(_resident(each) for each in [own, *own.children(recursive=True)]))
            time.sleep(0.1)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


class OtherPrograms:
    """Watches, from its making on, how much of the machine is not ours."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._busy, self._ours = _busy_seconds(), _our_seconds()

    def share(self) -> float:
        """Return the part of all processor time, in [0, 1], that others took."""
        theirs = (_busy_seconds() - self._busy) - (_our_seconds() - self._ours)
        return max(0.0, theirs / (time.perf_counter() - self._start) / (psutil.cpu_count() or 1))


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _our_seconds() -> float:
    own = psutil.Process()
    times = [process.cpu_times() for process in [own, *own.children(recursive=True)]]
    return float(sum(each.user + each.system for each in times))


def table(columns: dict[str, dict[str, str]]) -> str:
    """Return the columns, one per engine, as a Markdown table."""
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    whats = next(iter(columns.values()))
    rows += [[what, *(column[what] for column in columns.values())] for what in whats]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = generator_path(open_home_folder().models)
    parser.add_argument(
        "model", type=Path, nargs="?", default=default, help="a GGUF file; the default model if left out"
    )
    parser.add_argument("--engines", nargs="+", default=["openvino", "llama.cpp"], choices=get_args(Engine))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--one", choices=get_args(Engine), help="measure this engine here and print JSON")
    options = parser.parse_args()
    if options.one:
        settings = GeneratorSettings(options.one, options.model, threads=options.threads, parallel=options.parallel)
        sys.stdout.write(json.dumps(measure(settings)) + "\n")
        return
    sys.stdout.write(table({engine: _apart(engine) for engine in options.engines}) + "\n")


def _apart(engine: str) -> dict[str, str]:
    """Measure one engine in a fresh process, with the options this one was started with."""
    command = [sys.executable, "-m", "benchmarks.generators", *sys.argv[1:], "--one", engine]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    column: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return column


if __name__ == "__main__":
    main()
