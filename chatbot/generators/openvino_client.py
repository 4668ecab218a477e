"""The serving process's end of the OpenVINO worker: starts it, sends orders, hands each asker its answers."""

import itertools
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from dataclasses import asdict
from typing import IO

from chatbot.errors import GenerationError, ModelLoadError
from chatbot.generators.contract import Cancelled
from chatbot.generators.openvino_worker import Line, WorkerSettings

_POLL_SECONDS = 0.05  # how late a set `cancelled` may be noticed


class WorkerClient:
    """A running worker. Safe to use from several threads."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Start the worker and wait for its model. Raises ModelLoadError, with its last words, if it ends instead."""
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # lives as long as we
        self._process = _start(settings, self._log)
        self._orders, answers = _pipes(self._process)
        self._numbers = itertools.count(1)
        self._askers: dict[int, queue.SimpleQueue[Line]] = {}
        self._lock = threading.Lock()  # over _askers and _orders
        self._ended = False
        if not answers.readline():  # its first line says that it is ready
            self._process.wait()
            said = self._last_words()
            for file in (self._orders, answers, self._log):
                file.close()
            raise ModelLoadError(f"{settings.folder}: OpenVINO cannot load it ({said})")
        self._listener = threading.Thread(target=self._listen, args=(answers,), name="openvino-answers", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def ask(self, order: Line, cancelled: Cancelled | None) -> Generator[Line]:
        """Yield the worker's answers to `order` until it is done, or `cancelled` is set.

        Closing the iterator cancels the order. Raises GenerationError if the worker fails or has ended.
        """
        number, answers = self._send(order)
        done = False
        try:
            while cancelled is None or not cancelled.is_set():
                try:
                    line = answers.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                if "error" in line:
                    raise GenerationError(f"OpenVINO failed: {line['error'].strip().splitlines()[0]}")
                if "end" in line:
                    done = True
                    return
                yield line
        finally:
            self._forget(number, cancel=not done)

    def close(self) -> None:
        """End the worker and wait for it; calling it twice is harmless."""
        with self._lock:
            if not self._orders.closed:
                self._orders.close()
        self._process.wait()
        self._listener.join()
        self._log.close()

    def _send(self, order: Line) -> tuple[int, "queue.SimpleQueue[Line]"]:
        number, answers = next(self._numbers), queue.SimpleQueue[Line]()
        with self._lock:
            if self._ended or self._orders.closed:
                raise GenerationError("the OpenVINO process has ended: start Wence again")
            self._askers[number] = answers
            self._write({"ask": number} | order)
        return number, answers

    def _forget(self, number: int, cancel: bool) -> None:
        with self._lock:
            self._askers.pop(number, None)
            if cancel and not self._ended and not self._orders.closed:
                self._write({"cancel": number})

    def _write(self, line: Line) -> None:
        try:
            self._orders.write(json.dumps(line) + "\n")
            self._orders.flush()
        except BrokenPipeError:
            pass  # it has ended; the listener tells every asker

    def _listen(self, answers: IO[str]) -> None:
        """Hand out answers until the worker ends, then tell all who still wait."""
        with answers:
            self._hand_out(answers)
        with self._lock:
            self._ended = True
            for asker in self._askers.values():
                asker.put({"error": f"its process ended ({self._last_words()})"})

    def _hand_out(self, answers: IO[str]) -> None:
        for text in answers:
            line = json.loads(text)
            with self._lock:
                asker = self._askers.get(line["ask"])
            if asker is not None:
                asker.put(line)

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.poll()}"


def _start(settings: WorkerSettings, log: IO[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "chatbot.generators.openvino_worker", json.dumps(asdict(settings))],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for the serving process, which then closes this one
    )  # fmt: skip


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout
