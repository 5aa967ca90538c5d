"""Who may import whom: the contracts of import-linter hold, and each notices its violation."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

import pytest

from tests import checkout
from tests.checkout import PYPROJECT, ROOTS

CONTRACTS: Final[list[dict[str, Any]]] = PYPROJECT["tool"]["importlinter"]["contracts"]
PRODUCTS: Final = sorted(
    target.partition(":")[0]
    for target in PYPROJECT["project"]["entry-points"]["parvis.room_types"].values()
)

LAYERS: Final = "Arrows point at the wire"
NODE: Final = "The node knows no product by name"
PRODUCT: Final = "Products do not know each other"
WIRE: Final = "The protocol does no I/O"
DRIVERS: Final = "Only the edges know their drivers"
POSTGRES: Final = "Only the PostgreSQL store knows PostgreSQL"

# contract, module that breaks it, what that module imports
VIOLATIONS: Final = [
    (LAYERS, "parvis.protocol", "parvis.storage.api"),
    (LAYERS, "parvis.storage", "parvis.plugins.errors"),
    (LAYERS, "parvis.plugins", "parvis.server"),
    (LAYERS, "parvis.plugins", "parvis.client"),
    (LAYERS, "parvis.server", "parvis.client"),
    (LAYERS, "parvis.client", "parvis.server"),
    *((NODE, "parvis.server", product) for product in PRODUCTS),
    *((PRODUCT, "parvis.plugins.intruder", product) for product in PRODUCTS),
    *((PRODUCT, product, "parvis.plugins.intruder") for product in PRODUCTS),
    *((WIRE, "parvis.protocol", m) for m in ["asyncio", "aiohttp", "socket", "time", "pycrdt"]),
    *((DRIVERS, "parvis.plugins", m) for m in ["aiobotocore", "aiohttp", "redis", "sqlite3"]),
    *((POSTGRES, f"parvis.{m}", "asyncpg") for m in ["plugins", "server", "storage.sqlite"]),
    (DRIVERS, "parvis.storage.api", "sqlite3"),
    *((DRIVERS, f"parvis.server.{m}", "aiohttp") for m in ["core", "rooms", "session"]),
]


def broken_contracts(sources: Path) -> list[str]:
    """The names of the contracts that the sources in a folder break, as lint-imports says them.

    Site packages come by PYTHONPATH and -S leaves their .pth files alone, so that the linter sees
    these sources and not the installed ones.
    """
    path = [*(str(sources / root) for root in ROOTS), sysconfig.get_path("purelib")]
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, "--no-cache", "--no-logo"],
        cwd=sources,
        env={"PYTHONPATH": ":".join(path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    verdicts = [
        line.rsplit(" ", 1)
        for line in done.stdout.splitlines()
        if line.endswith(("KEPT", "BROKEN"))
    ]
    judged = {name.strip(): verdict for name, verdict in verdicts}
    assert list(judged) == [contract["name"] for contract in CONTRACTS], done.stdout + done.stderr
    return [name for name, verdict in judged.items() if verdict == "BROKEN"]


def test_there_are_six_contracts_and_all_are_kept(tmp_path: Path) -> None:
    names = [contract["name"] for contract in CONTRACTS]
    assert names == [LAYERS, NODE, PRODUCT, WIRE, DRIVERS, POSTGRES]
    assert broken_contracts(checkout.copy(tmp_path)) == []


def test_the_contracts_know_every_product_we_ship() -> None:
    by_name = {contract["name"]: contract for contract in CONTRACTS}
    assert sorted(by_name[NODE]["forbidden_modules"]) == PRODUCTS
    assert sorted(by_name[PRODUCT]["modules"]) == PRODUCTS


@pytest.mark.parametrize(("contract", "culprit", "imported"), VIOLATIONS)
def test_a_contract_notices_its_violation(
    contract: str, culprit: str, imported: str, tmp_path: Path
) -> None:
    sources = checkout.copy(tmp_path)
    if "parvis.plugins.intruder" in (culprit, imported):
        add_product(sources, "parvis.plugins.intruder")
    add_import(sources, culprit, imported)
    assert contract in broken_contracts(sources)


def add_import(sources: Path, culprit: str, imported: str) -> None:
    """Let a module of the sources import another one."""
    places = [sources / root / culprit.replace(".", "/") for root in ROOTS]
    files = [file for at in places for file in (at.with_suffix(".py"), at / "__init__.py")]
    (module,) = [file for file in files if file.is_file()]
    module.write_text(f"{module.read_text()}\nimport {imported}\n")


def add_product(sources: Path, name: str) -> None:
    """A second product, known to the contracts like the first."""
    package = sources / "plugins" / name.replace(".", "/")
    package.mkdir()
    (package / "__init__.py").write_text("")
    pyproject = sources / "pyproject.toml"
    known = f'"{PRODUCTS[0]}"'
    pyproject.write_text(pyproject.read_text().replace(known, f'{known}, "{name}"'))
