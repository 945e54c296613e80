"""What `import creative_services` costs, in fresh interpreters, against `import httpx`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.rounds import Comparison, Sample, compared, in_turn

if TYPE_CHECKING:
    from collections.abc import Mapping

# httpx loads its command line where click, pygments and rich happen to be installed, which linters bring along and
# `pip install httpx` does not; without these lines it would look half as heavy again as it is.
CODE = """
import sys
sys.modules.update(dict.fromkeys(("click", "pygments", "rich")))
import time
cpu, wall = time.process_time(), time.perf_counter()
{code}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
with open("/proc/self/status") as status:
    memory = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
print(cpu, wall, *memory)
"""
IMPORTS = {"import httpx": "import httpx", "import creative_services": "import creative_services"}
CLIENTS = {
    "httpx.Client made": "import httpx; client = httpx.Client(verify=False)",  # CA certificates are 20 ms for both
    "a client made": "import creative_services as c; client = c.SyncDynamicLLMClient(c.DictRegistry())",
}


def compare_imports(codes: Mapping[str, str], rounds: int) -> tuple[dict[str, Comparison], dict[str, Comparison]]:
    """Time in seconds and peak memory in bytes of processes that run these codes; the first is the reference."""
    times: dict[str, list[Sample]] = {name: [] for name in codes}
    memory: dict[str, list[Sample]] = {name: [] for name in codes}
    for code in codes.values():  # compiled, and in the page cache
        _run(code)
    for name in in_turn(list(codes), rounds):
        cpu, wall, kilobytes = _run(codes[name])
        times[name].append(Sample(cpu, wall))
        memory[name].append(Sample(kilobytes * 1024, kilobytes * 1024))
    return compared(times), compared(memory)


def _run(code: str) -> tuple[float, float, float]:
    command = [sys.executable, "-c", CODE.format(code=code)]
    cpu, wall, kilobytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(cpu), float(wall), float(kilobytes)
