import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import creative_services
from creative_services.core.providers import PROVIDERS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "creative_services"
FOLDERS = [PACKAGE, ROOT / "example_project", ROOT / "tools"]
FILES = [file for folder in FOLDERS for file in sorted(folder.rglob("*.py")) if "migrations" not in file.parts]
OWN = [file for file in FILES if file.is_relative_to(PACKAGE)]

# Signatures that Django dictates: a method it calls with more than we use, a receiver, a system check.
DICTATED = re.compile(
    r"__init__|handle|formfield|save|delete|update|update_or_create|bulk_\w+|_insert|_update|get_\w*form\w*|check_\w+|as_view"
)

BLOCKED_IMPORT = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "rest_framework", "asgiref", "factory", "pytest"}:
            raise ImportError(f"{name} is not there")
sys.meta_path.insert(0, Blocker())
"""
BLOCKED_ENVIRONMENT = """
import os
class Unread(dict):
    def refuse(self, *args):
        raise AssertionError(f"the environment was read: {args}")
    __getitem__ = get = __contains__ = __iter__ = keys = items = values = copy = refuse
os.environ = Unread()
os.getenv = os.environ.refuse
"""
WARM_UP = "import asyncio, ssl, json, decimal, dataclasses, email.message, uuid, logging\n"


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_file_is_longer_than_a_reader_can_hold():
    lengths = {file: len(file.read_text().splitlines()) for file in FILES}

    assert {file: length for file, length in lengths.items() if length > 300} == {}


def test_no_file_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

    assert [file for file in FILES if {file.stem, file.parent.name} & drawers] == []


def test_no_signature_of_ours_hides_its_arguments():
    functions = [
        (file, node) for file in OWN for node in nodes(file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    hiding = [
        (file, node.name)
        for file, node in functions
        if node.args.kwarg and node.args.kwarg.arg != "_" and not may_hide(file, node.name)
    ]

    assert hiding == []


def may_hide(file: Path, name: str) -> bool:
    return not file.is_relative_to(PACKAGE / "core") and bool(DICTATED.fullmatch(name))


def test_only_the_table_of_providers_tells_providers_apart():
    comparing = {file: compared_constants(file) & names_of_others(file) for file in OWN if file.name != "providers.py"}

    assert {file: names for file, names in comparing.items() if names} == {}


def names_of_others(file: Path) -> set[str]:
    # A wire may ask for its own name, which a provider may share.
    is_wire = file.parent == PACKAGE / "core" / "wire"
    return {name for name in PROVIDERS if not (is_wire and file.stem.startswith(name))}


def compared_constants(file: Path) -> set[object]:
    operands: list[ast.AST] = []
    for node in nodes(file):
        match node:
            case ast.Compare():
                operands += [node.left, *node.comparators]
            case ast.MatchValue():
                operands.append(node.value)
    parts = [part for operand in operands for part in ast.walk(operand)]
    return {part.value for part in parts if isinstance(part, ast.Constant)}


def test_the_package_imports_without_django_and_rest_framework():
    result = run_python(BLOCKED_IMPORT + "import creative_services\nfrom creative_services import *")

    assert result.returncode == 0, result.stderr


def test_the_fake_provider_imports_without_django_pytest_and_factory_boy():
    result = run_python(BLOCKED_IMPORT + "from creative_services.testing import FakeProvider; FakeProvider()")

    assert result.returncode == 0, result.stderr


def test_importing_the_package_reads_no_environment():
    result = run_python(WARM_UP + BLOCKED_ENVIRONMENT + "import creative_services\nfrom creative_services import *")

    assert result.returncode == 0, result.stderr


def test_the_registry_of_the_database_can_be_imported_before_django_is_set_up():
    result = run_python("from creative_services.adapters import DjangoLLMRegistry; DjangoLLMRegistry()")

    assert result.returncode == 0, result.stderr


def test_importing_the_package_imports_neither_django_nor_httpx():
    result = run_python("import creative_services, sys; print({m.partition('.')[0] for m in sys.modules})")

    assert not {"django", "rest_framework", "httpx", "pytest", "factory"} & ast.literal_eval(result.stdout)


def test_the_documented_names_are_sorted_and_all_there():
    names = list(creative_services.__all__)
    errors = {name for name, value in vars(sys.modules["creative_services.core.errors"]).items() if is_error(value)}

    assert names == sorted(names)
    assert all(hasattr(creative_services, name) for name in names)
    assert errors <= set(names)


def is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, creative_services.CreativeServicesError)


def test_nothing_public_is_left_out_of_the_documented_names():
    public = {name for name in dir(creative_services) if not name.startswith("_")}
    modules = {path.stem for path in PACKAGE.iterdir()}

    assert public - modules - {"annotations", "TYPE_CHECKING"} <= set(creative_services.__all__)


def test_the_changelog_begins_with_the_version_of_the_package():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    newest = re.search(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert version
    assert newest
    assert newest[1] == version[1]
    assert creative_services.__version__ == version[1]
