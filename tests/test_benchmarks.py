import subprocess
import sys
from pathlib import Path

from creative_services.core.providers import WIRE_NAMES

ROOT = Path(__file__).parents[1]

OUR_CLIENTS = ("DynamicLLMClient", "SyncDynamicLLMClient")
CALLS = {
    "generate, 1 in flight": (*OUR_CLIENTS, "httpx.Client"),
    "generate, 50 in flight": (*OUR_CLIENTS, "httpx.Client"),
    "stream of 200, 1 in flight": (*OUR_CLIENTS, "httpx.AsyncClient, aiter_lines"),
    "stream of 200, 50 in flight": (*OUR_CLIENTS, "httpx.AsyncClient, aiter_lines"),
    "paced stream of 200, 1 in flight": (*OUR_CLIENTS, "httpx.AsyncClient, aiter_lines"),
}
OTHERS = (
    *(f"stream of 200 read by {wire}" for wire in WIRE_NAMES),
    "import creative_services: time",
    "import creative_services: peak memory",
    "a client made: time",
    "a client made: peak memory",
    "DictRegistry.get_by_tier, 10,000 rows",
    "DjangoLLMRegistry.get_by_tier, sqlite, 10,000 rows",
    "DjangoLLMRegistry.aget_by_tier, sqlite, 10,000 rows",
)


def test_one_command_prints_one_table_with_a_ratio_in_every_row():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "benchmarks.overhead", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    table = run.stdout.split("\n\n")[1].splitlines()
    measured = {line.partition("  ")[0]: line.split() for line in table[1:]}
    wanted = {f"{call}: {who}" for call, clients in CALLS.items() for who in clients} | set(OTHERS)
    assert wanted <= measured.keys()
    assert all(any(_is_ratio(cell) for cell in measured[row]) for row in wanted)


def _is_ratio(cell: str) -> bool:
    whole, point, part = cell.partition(".")
    return whole.isdigit() and point == "." and len(part) == 2 and part.isdigit()
