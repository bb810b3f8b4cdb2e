"""The practice model's own process: llama.cpp's OpenAI-compatible server on the loopback address.

Started as `python -m lib.practice.server` by `process` and talked to in JSON lines. On stdin the settings: api_key,
model_path, sha256. On stdout one answer: {"address": "http://127.0.0.1:PORT"} once it serves, or {"error": "..."}.
After that it serves until stdin ends, which is when its parent has closed the pipe or died, in whatever way.
"""

import hashlib
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO

CONTEXT_TOKENS = 8192
PARALLEL_CHOICES = 4
DEFAULT_ANSWER_TOKENS = 1024
MODEL = "SmolLM2-135M-Instruct"

HTTP_THREADS = 16
PROMPT_CACHE_MIB = 64
MOST_THREADS = 8


def main() -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _own_stdout()
    settings = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        server = serve(**settings)
        _say(answers, address=server.listening_address)
    except Exception as problem:
        _say(answers, error=f"{type(problem).__name__}: {problem}")
        os._exit(1)
    threading.Event().wait()


def serve(api_key: str, model_path: str, sha256: str) -> Any:
    """A running `xllamacpp.Server`; raises ValueError when the file is not the one with that SHA-256 (hex)."""
    if _sha256_of(model_path) != sha256:
        raise ValueError(f"{os.path.basename(model_path)} is not the file it should be: its SHA-256 differs")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model_path
    params.model_alias = {MODEL}
    params.api_keys = [api_key]
    _keep_private(params)
    _size(params)
    return xllamacpp.Server(params)


def _keep_private(params: Any) -> None:
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.endpoint_metrics = False
    params.offline = True
    params.verbosity = 0


def _size(params: Any) -> None:
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = PARALLEL_CHOICES
    params.kv_unified = True
    params.n_predict = DEFAULT_ANSWER_TOKENS
    # Not 0: only with this cache does llama.cpp clear finished prompts out of the shared context before a new one.
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.n_threads_http = HTTP_THREADS
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = _threads(os.cpu_count() or 1)
        # Not polled: a thread without work would spin, and take its core from the app.
        cpu.poll = 0


def _threads(cores: int) -> int:
    """Half the cores: the other half is for the app. A model this small gains nothing from more than eight."""
    # One of two cores, too: llama.cpp's threads wait for each other after each layer, and while something else has the
    # second core (a browser, say), two of them are ten times as slow as one.
    return min(max(1, cores // 2), MOST_THREADS)


def _sha256_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own_stdout() -> int:
    """A private copy of stdout; whatever libraries print goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _say(answers: int, **facts: str) -> None:
    os.write(answers, json.dumps(facts).encode() + b"\n")


def _end_with(pipe: BinaryIO) -> None:
    pipe.read()
    os._exit(0)


if __name__ == "__main__":
    main()
