"""The layout: five source roots, one PEP 420 namespace, and its traps kept shut.

`docs/decisions/0001-one-namespace-five-roots.md` says why it is so and what each trap costs.
"""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import parvis
from tests import checkout
from tests.checkout import CHECKOUT, PYPROJECT, ROOTS

# What others wrote is imported once and inherited; then each of our modules gets a process in which
# none of ours was imported before.
IMPORT_ALL = """if True:
    import importlib, sys
    for name in sys.argv[1:]:
        importlib.import_module(name)
    print(*(name for name in sys.modules if name.partition(".")[0] != "parvis"), sep="\\n")
"""
IMPORT_EACH_ALONE = """if True:
    import contextlib, importlib, os, sys, traceback
    for name in sys.stdin.read().split():
        with contextlib.suppress(ImportError):  # some register aliases that only they can import
            importlib.import_module(name)
    for name in sys.argv[1:]:
        child = os.fork()
        if child == 0:
            try:
                importlib.import_module(name)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            print(name, flush=True)
"""


def python(code: str, *arguments: str, text: str = "") -> str:
    """What a fresh interpreter prints, started where no source folder is in reach."""
    argv = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_no_root_makes_the_namespace_a_regular_package() -> None:
    assert [file for file in checkout.files() if file.endswith("/parvis/__init__.py")] == []


def test_each_part_is_a_regular_package_that_nobody_can_add_to() -> None:
    parts = [path for root in ROOTS for path in (CHECKOUT / root / "parvis").iterdir()]
    assert [part for part in parts if not (part / "__init__.py").is_file()] == []


def test_the_namespace_is_the_five_roots_and_nobody_elses() -> None:
    assert sorted(parvis.__path__) == sorted(str(CHECKOUT / root / "parvis") for root in ROOTS)


def test_no_other_installed_distribution_squats_in_the_namespace() -> None:
    squatters = {
        distribution.name
        for distribution in importlib.metadata.distributions()
        for file in distribution.files or []
        if file.parts[0] == "parvis"
    }
    assert squatters <= {"parvis"}


def test_no_folder_outside_the_five_roots_is_called_parvis() -> None:
    strays = [
        file
        for file in checkout.files()
        if "parvis" in Path(file).parts[:-1] and checkout.root_of(file) is None
    ]
    assert strays == []


def test_every_module_can_be_the_first_one_imported() -> None:
    ours = sorted(checkout.modules())
    theirs = python(IMPORT_ALL, *ours)
    assert python(IMPORT_EACH_ALONE, *ours, text=theirs) == ""


@pytest.mark.parametrize("folder", sorted({root.partition("/")[0] for root in ROOTS}))
def test_importing_by_folder_would_make_a_second_copy_and_is_banned(folder: str) -> None:
    argv = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    argv += ["--stdin-filename", str(CHECKOUT / "server/parvis/server/banned.py"), "-"]
    code = f'"""Breaks the rule."""\n\nimport {folder}.parvis\n\n__all__ = ["{folder}"]\n'
    done = subprocess.run(argv, cwd=CHECKOUT, input=code, capture_output=True, text=True)
    assert "TID251" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("folder", sorted({root.partition("/")[0] for root in ROOTS}))
def test_no_test_can_import_by_folder(folder: str) -> None:
    assert importlib.util.find_spec(folder) is None


@pytest.mark.parametrize(
    ("tool", "key"),
    [("mypy", "mypy_path"), ("pyright", "extraPaths"), ("ruff", "src"), ("coverage.run", "source")],
)
def test_every_tool_knows_every_root(tool: str, key: str) -> None:
    options = PYPROJECT["tool"]
    for step in tool.split("."):
        options = options[step]
    assert set(ROOTS) <= set(options[key])


def test_each_part_says_that_it_is_typed_and_the_namespace_does_not() -> None:
    files = checkout.files()
    markers = {
        file
        for file in files
        if Path(file).name == "py.typed" and checkout.root_of(file) is not None
    }
    parts = {
        "/".join([root, *Path(file).relative_to(root).parts[:2]])
        for file in files
        if (root := checkout.root_of(file)) is not None
    }
    assert markers == {f"{part}/py.typed" for part in parts}


@pytest.mark.parametrize(
    "package",
    sorted(name for name, path in checkout.modules().items() if path.name == "__init__.py"),
)
def test_a_package_says_which_names_are_public_and_has_no_others(package: str) -> None:
    tree = ast.parse(checkout.modules()[package].read_text())
    own = {name for node in tree.body for name in own_names(node, package)}
    lent = {name for node in tree.body for name in lent_names(node)}
    declared = [name for node in tree.body for name in declared_names(node)]
    assert sorted(declared) == sorted(own | (lent & set(declared)))


def own_names(node: ast.stmt, package: str) -> list[str]:
    """The public names of a package's own: defined there, or brought up from inside it."""
    match node:
        case ast.ImportFrom(module=module, level=level, names=aliases):
            above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            source = ".".join([*above, *([module] if module else [])])
            inside = source == package or source.startswith(f"{package}.")
            names = [alias.asname or alias.name for alias in aliases] if inside else []
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names = [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = [name]
        case ast.Assign(targets=targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        case _:
            names = []
    return [name for name in names if not name.startswith("_") and name != "logger"]


def lent_names(node: ast.stmt) -> list[str]:
    """The names a package has from elsewhere, and may offer again."""
    match node:
        case ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name for alias in aliases]
        case _:
            return []


def declared_names(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
            return [str(name) for name in ast.literal_eval(value)]
        case _:
            return []


def test_the_wheel_carries_the_namespace_with_the_web_app_and_nothing_else(tmp_path: Path) -> None:
    sources = checkout.copy(tmp_path / "sources")
    webapp = sources / "server/parvis/server/webapp"
    (webapp / "assets").mkdir(parents=True)
    (webapp / "index.html").write_text("<title>Parvis</title>")
    (webapp / "assets" / "app.js").write_text("")
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(
        [*argv, "--directory", str(tmp_path)], cwd=sources, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    built = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        Path(file).relative_to(root).as_posix()
        for file in checkout.files()
        if (root := checkout.root_of(file)) is not None
    }
    web = {"parvis/server/webapp/index.html", "parvis/server/webapp/assets/app.js"}
    assert built == ours | web


def test_the_room_types_we_ship_are_those_that_are_installed() -> None:
    installed = importlib.metadata.entry_points(group="parvis.room_types")
    ours = {entry.name: entry.value for entry in installed if entry.module.startswith("parvis.")}
    assert ours == PYPROJECT["project"]["entry-points"]["parvis.room_types"]
