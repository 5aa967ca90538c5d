"""What a checkout installs is the same everywhere: pinned, and tied to no host and no machine."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import checkout
from tests.checkout import CHECKOUT, PYPROJECT

PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)")
LOCKS = [file for file in checkout.files() if Path(file).name == "package-lock.json"]
# Folders that exist on one machine only: people's homes, and wherever this one was written.
MACHINE = re.compile(rb"(?<![\w.])/(?:home|root|work|Users)/[A-Za-z0-9._-]+")  # no ../home/…
BINARY = {".png", ".ico", ".woff2", ".bin", ".gz", ".jpg", ".webp"}


def pins() -> dict[str, str]:
    """The pinned version of every package, by its canonical name."""
    found: dict[str, str] = {}
    for line in (CHECKOUT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            pin = PIN.fullmatch(line)
            assert pin, f"expected name==version, got {line!r}"
            found[canonicalize_name(pin["name"])] = pin["version"]
    return found


def needed() -> set[str]:
    """Every package that set-up, tests and linters install here, found from what requires what."""
    asked: list[str] = [
        *PYPROJECT["project"]["dependencies"],
        *(one for extra in PYPROJECT["project"]["optional-dependencies"].values() for one in extra),
        *PYPROJECT["dependency-groups"]["dev"],
        *PYPROJECT["build-system"]["requires"],
    ]
    todo = [Requirement(text) for text in asked]
    found: set[str] = set()
    while todo:
        requirement = todo.pop()
        extras = requirement.extras or {""}
        name = canonicalize_name(requirement.name)
        if name in found or not applies(requirement, {""}):
            continue
        found.add(name)
        wanted = [Requirement(text) for text in importlib.metadata.requires(name) or []]
        todo += [one for one in wanted if applies(one, extras)]
    return found


def applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def test_every_python_package_we_install_is_pinned_to_the_version_installed() -> None:
    pinned = pins()
    installed = {name: importlib.metadata.version(name) for name in needed()}
    assert {name: pinned.get(name) for name in installed} == installed


def test_pip_is_pinned_like_everything_it_installs() -> None:
    assert "pip" in pins()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_carries_checksums_and_no_addresses(lock: str) -> None:
    packages: dict[str, dict[str, Any]] = json.loads((CHECKOUT / lock).read_text())["packages"]
    downloaded = {
        name: package
        for name, package in packages.items()
        if name.startswith("node_modules/") and not package.get("link")
    }
    assert [
        name for name, package in packages.items() if "://" in str(package.get("resolved"))
    ] == []
    assert [name for name, package in downloaded.items() if not package.get("integrity")] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_answers_its_package_file(lock: str) -> None:
    package: dict[str, Any] = json.loads((CHECKOUT / lock).with_name("package.json").read_text())
    locked: dict[str, Any] = json.loads((CHECKOUT / lock).read_text())["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert locked.get(kind, {}) == package.get(kind, {})


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {
        file: MACHINE.findall(content)
        for file in checkout.files()
        if Path(file).suffix not in BINARY
        and MACHINE.search(content := (CHECKOUT / file).read_bytes())
    }
    assert found == {}
