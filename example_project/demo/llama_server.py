"""llama.cpp's own HTTP server, out of the `xllamacpp` wheel, as a process of its own.

Prints one line of JSON, `{"url": …}` once the model is loaded or `{"error": …}`, and serves until its stdin closes:
so it cannot outlive the process that started it, however that one ends.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

CONTEXT_TOKENS = 4096
SLOTS = 2


def main() -> int:
    """Load the model named on the command line and serve it on a free port of 127.0.0.1."""
    parser = argparse.ArgumentParser(prog="llama_server", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--alias", required=True)
    arguments = parser.parse_args()
    try:
        server = start(arguments.model, arguments.alias)
    except ImportError as error:
        return report(error=import_hint(error))
    except RuntimeError:
        return report(error=f"llama.cpp cannot load {arguments.model}: is it a GGUF file, and does it fit into memory?")
    report(url=server.listening_address)
    sys.stdin.buffer.read()
    # Not through the interpreter's shutdown: the server's own threads would be waited for.
    os._exit(0)


def start(model: Path, alias: str) -> Any:
    """The running server; raises ImportError without its libraries, RuntimeError for a model it cannot load."""
    import xllamacpp  # noqa: PLC0415 - its absence is an answer, not an accident

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # The server's default lets every web page the user visits call it.
    params.cors_origins = "localhost"
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = SLOTS
    params.verbosity = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads()
    return xllamacpp.Server(params)


def threads() -> int:
    """One less than cores: its threads wait for each other, and one that is held up slows all of them tenfold."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


def import_hint(error: ImportError) -> str:
    """What to do about a library that is not there."""
    if "libgomp" in str(error):
        return "llama.cpp needs the system library libgomp1: run `apt-get install -y libgomp1` (as root) and try again."
    return f"The model server cannot be imported ({error}). Run `pip install --no-deps -r requirements-local.txt`."


def report(**line: str) -> int:
    """Tell the parent process how it went; the exit code that goes with it."""
    print(json.dumps(line), flush=True)
    return 1 if "error" in line else 0


if __name__ == "__main__":
    sys.exit(main())
