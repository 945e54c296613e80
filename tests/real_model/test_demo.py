"""`make demo` without the `make`: what it prints, what it leaves behind, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "example_project.demo"]

pytestmark = pytest.mark.usefixtures("wheels")


@pytest.fixture
def environment(tmp_path):
    kept = {
        name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "DJANGO_SETTINGS_MODULE"))
    }
    return kept | {"DATABASE_URL": f"sqlite:///{tmp_path}/demo.sqlite3", "DJANGO_SECRET_KEY": "only-for-this-test"}


def run(environment, *options, **changes):
    command = [*DEMO, *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment | changes, capture_output=True, text=True, timeout=120, check=False
    )


def servers_of(pid):
    running = [int(process.name) for process in Path("/proc").iterdir() if process.name.isdigit()]
    return [child for child in running if is_server(child, parent=pid)]


def is_server(pid, parent=None):
    process = Path(f"/proc/{pid}")
    try:
        of_parent = parent is None or f"PPid:\t{parent}\n" in (process / "status").read_text()
        return of_parent and "llama_server" in (process / "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_once_streams_real_text_and_says_what_it_took(environment):
    result = run(environment, "--once")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "tokens in" in result.stdout
    assert "$0" in result.stdout
    assert "llama.cpp" in result.stdout
    assert "password" not in result.stdout


def test_a_second_run_uses_what_the_first_one_made(environment):
    run(environment, "--once")
    result = run(environment, "--once")

    assert result.returncode == 0, result.stdout + result.stderr


def test_provider_keys_in_the_environment_bring_their_rows(environment):
    result = run(environment, "--once", GROQ_API_KEY="gsk-of-nobody")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "groq" in result.stdout.lower()
    assert "gsk-of-nobody" not in result.stdout


def test_a_file_that_is_no_model_is_one_clear_line(environment, tmp_path):
    model = tmp_path / "recipe.gguf"
    model.write_text("flour, water, salt")
    result = run(environment, "--once", "--model", str(model))

    assert result.returncode == 1
    assert result.stderr == ""
    assert "is it a GGUF file" in result.stdout.splitlines()[-1]


def test_a_model_that_is_not_there_is_one_clear_line(environment):
    result = run(environment, "--once", "--model", "nowhere.gguf")

    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].endswith("There is no model file nowhere.gguf.")


def test_a_missing_system_library_is_one_clear_line(environment, tmp_path):
    message = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "xllamacpp.py").write_text(f"raise ImportError({message!r})")
    result = run(environment, "--once", PYTHONPATH=str(tmp_path))

    assert result.returncode == 1
    assert "apt-get install -y libgomp1" in result.stdout.splitlines()[-1]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_taken_port_is_one_clear_line_before_anything_is_started(environment, listener):
    port = listener.getsockname()[1]
    result = run(environment, "--port", str(port))

    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in result.stdout
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_model_goes_when_the_site_goes(environment, listener, way):
    port = listener.getsockname()[1]
    listener.close()
    command = [*DEMO, "--port", str(port)]
    demo = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for_the_site(demo, port)
        servers = servers_of(demo.pid)
        demo.send_signal(way)
        said = demo.communicate(timeout=30)[0]
    finally:
        demo.kill()
        demo.communicate()

    assert "password" in said
    assert len(servers) == 1
    assert demo.returncode == (-way if way == signal.SIGKILL else 0), said
    assert gone(servers[0])


def wait_for_the_site(demo, port):
    for _ in range(200):
        assert demo.poll() is None, demo.stdout.read()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the site did not come up")


def gone(pid):
    for _ in range(50):
        if not is_server(pid):
            return True
        time.sleep(0.1)
    return False
