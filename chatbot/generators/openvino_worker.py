"""The process that computes: steps one OpenVINO pipeline for all askers, as lines of JSON ask for it.

A process of its own, because a step (up to a second of prefill) keeps Python's global lock: in the serving process
the window would stand still meanwhile. Standard input carries orders, standard output the answers; when the input
ends, so does the process, whatever became of its parent.

    in   {"ask": 7, "tokens": [...], "max_new_tokens": 320, "temperature": 0.0, "seed": 0}
         {"ask": 8, "tokens": [...], "word": "yes"}      the probability of the word's first token, after `tokens`
         {"cancel": 7}
    out  {"ready": true}   {"ask": 7, "tokens": [...]}   {"ask": 8, "tokens": [9693], "probability": 0.25}
         {"ask": 7, "end": true}   {"ask": 7, "error": "..."}
"""

import json
import math
import os
import queue
import re
import sys
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openvino_genai as genai  # type: ignore[import-untyped]

Line = dict[str, Any]  # one JSON object of the protocol above
BLOCK_TOKENS = 32  # OpenVINO's on a CPU


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the worker is started with, as JSON in its first argument."""

    folder: str
    threads: int  # 0 is OpenVINO's choice
    context_tokens: int
    parallel: int
    prefill_tokens: int  # computed between two looks at the orders


def _open(settings: WorkerSettings) -> "genai.ContinuousBatchingPipeline":
    import openvino_genai as genai

    scheduler = genai.SchedulerConfig()
    scheduler.enable_prefix_caching = True
    scheduler.dynamic_split_fuse = True
    scheduler.max_num_batched_tokens = settings.prefill_tokens
    scheduler.max_num_seqs = settings.parallel
    scheduler.num_kv_blocks = settings.parallel * (settings.context_tokens // BLOCK_TOKENS + 1)
    threads = {"INFERENCE_NUM_THREADS": settings.threads} if settings.threads else {}
    return genai.ContinuousBatchingPipeline(settings.folder, scheduler, "CPU", threads)


class Worker:
    """The askers in hand, and the one loop that serves them. Only this thread touches the pipeline."""

    def __init__(self, pipeline: "genai.ContinuousBatchingPipeline", out: IO[str]) -> None:
        self._pipeline = pipeline
        self._out = out
        self._handles: dict[int, genai.GenerationHandle] = {}

    def serve(self, orders: "queue.SimpleQueue[Line | None]") -> None:
        """Serve until the orders end."""
        while True:
            idle = not self._handles
            for order in _take(orders, wait=idle):
                if order is None:
                    return
                self._obey(order)
            if self._handles:
                self._step()

    def _obey(self, order: Line) -> None:
        if "cancel" in order:
            handle = self._handles.pop(order["cancel"], None)
            if handle is not None:
                handle.cancel()
            return
        import openvino  # type: ignore[import-untyped]

        tokens = openvino.Tensor(np.array([order["tokens"]], dtype=np.int64))  # (1, n_tokens)
        try:
            self._handles[order["ask"]] = self._pipeline.add_request(order["ask"], tokens, self._config(order))
        except RuntimeError as error:
            self._say({"ask": order["ask"], "error": str(error)})

    def _config(self, order: Line) -> "genai.GenerationConfig":
        import openvino_genai as genai

        config = self._pipeline.get_config()
        if "word" in order:
            # The grammar leaves only the word; the reported log-probability is the model's own, before the grammar.
            config.structured_output_config = genai.StructuredOutputConfig(regex=re.escape(order["word"]))
            config.max_new_tokens, config.logprobs, config.do_sample = 1, 1, False
            return config
        config.max_new_tokens = order["max_new_tokens"]
        config.do_sample = order["temperature"] > 0
        if config.do_sample:
            config.temperature, config.rng_seed = order["temperature"], order["seed"]
        return config

    def _step(self) -> None:
        try:
            self._pipeline.step()
        except RuntimeError as error:
            for ask in self._handles:
                self._say({"ask": ask, "error": str(error)})
            raise
        for ask, handle in list(self._handles.items()):
            self._report(ask, handle)

    def _report(self, ask: int, handle: "genai.GenerationHandle") -> None:
        import openvino_genai as genai

        # Asked before reading: what is generated after this look is read in the next round.
        status = handle.get_status()
        while handle.can_read():
            for output in handle.read().values():
                line: Line = {"ask": ask, "tokens": list(output.generated_ids)}
                if output.generated_log_probs:
                    line["probability"] = math.exp(output.generated_log_probs[0])
                self._say(line)
        if status == genai.GenerationStatus.RUNNING:
            return
        del self._handles[ask]
        ignored = status == genai.GenerationStatus.IGNORED
        self._say({"ask": ask} | ({"error": "no room left for this prompt"} if ignored else {"end": True}))

    def _say(self, line: Line) -> None:
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def _take(orders: "queue.SimpleQueue[Line | None]", wait: bool) -> list[Line | None]:
    taken = [orders.get()] if wait else []
    while not orders.empty():
        taken.append(orders.get())
    return taken


def _listen(orders: "queue.SimpleQueue[Line | None]") -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)


def _main() -> None:
    # Answers get a private descriptor: what a library prints goes to standard error instead.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    pipeline = _open(WorkerSettings(**json.loads(sys.argv[1])))
    out.write(json.dumps({"ready": True}) + "\n")
    out.flush()
    Worker(pipeline, out).serve(orders)


if __name__ == "__main__":
    _main()
