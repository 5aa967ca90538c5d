"""The checkout as tests see it: its five source roots, its modules, its files, a copy to spoil."""

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).parents[1]
PYPROJECT: Final[dict[str, Any]] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())

_HATCH: Final = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
ROOTS: Final[tuple[str, ...]] = tuple(_HATCH["dev-mode-dirs"])


def files() -> list[str]:
    """Every file that is or would be committed, relative to the checkout."""
    # Whoever cloned may be another user than the one who tests; git must answer all the same.
    argv = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    argv += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    names = sorted(set(listed.stdout.split("\0")) - {""})
    return [name for name in names if (CHECKOUT / name).is_file()]


def root_of(file: str) -> str | None:
    """The source root that holds the file, if one does."""
    return next((root for root in ROOTS if file.startswith(f"{root}/parvis/")), None)


def modules() -> dict[str, Path]:
    """Every module under the five roots, by the name it is imported as."""
    found: dict[str, Path] = {}
    for file in files():
        root = root_of(file)
        if root is not None and file.endswith(".py"):
            parts = Path(file).relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = CHECKOUT / file
    return found


def copy(target: Path) -> Path:
    """A copy of the sources and of what describes them, for a test that breaks rules."""
    for file in files():
        if root_of(file) or "/" not in file:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / file, target / file)
    return target
