import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)


def test_every_block_of_the_page_runs_as_printed(tmp_path: Path) -> None:
    page = (ROOT / "docs/testing.md").read_text()
    blocks = BLOCK.findall(page)
    for name, code in blocks:
        (tmp_path / name).write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--ds", "tests.settings", str(tmp_path)]
    # A database of its own: this runs while the outer run has the usual one.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": "sqlite:///"}

    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert len(blocks) == page.count("```python") == 9
    assert run.returncode == 0, run.stdout + run.stderr
