import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPING = {
    "a test": "import pytest\ndef test_one(): pytest.skip('no such server')\n",
    "a module": "import pytest\npytest.skip('no such server', allow_module_level=True)\n",
    "a marked test": "import pytest\n@pytest.mark.skipif(True, reason='no such server')\ndef test_one(): pass\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_one(): assert 1 == 2\n"


def run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider", "-c", "/dev/null"]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["--rootdir", str(folder), *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SKIPPING.values(), ids=SKIPPING)
def test_under_no_skips_what_is_skipped_has_failed_and_says_why(tmp_path, source):
    result = run(tmp_path, source, "--no-skips")

    assert result.returncode != 0
    assert "test_it.py" in result.stdout
    assert "no such server" in result.stdout


def test_a_skip_is_only_a_skip_otherwise(tmp_path):
    result = run(tmp_path, SKIPPING["a test"])

    assert result.returncode == 0
    assert "1 skipped" in result.stdout


def test_an_expected_failure_is_no_skip(tmp_path):
    result = run(tmp_path, EXPECTED_FAILURE, "--no-skips")

    assert result.returncode == 0
    assert "1 xfailed" in result.stdout
