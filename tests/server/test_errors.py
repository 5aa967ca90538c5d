"""Every error of a node hangs on one tree, which `errors.py` shows."""

import ast
import re

from tests import checkout

MODULES = {
    name: ast.parse(path.read_text())
    for name, path in checkout.modules().items()
    if name.startswith("parvis.server")
}
BASES = {
    node.name: [ast.unparse(base) for base in node.bases]
    for tree in MODULES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef)
}


def is_error(name: str) -> bool:
    return name == "ServerError" or any(is_error(base) for base in BASES.get(name, ()))


def shown(module: str) -> set[str]:
    """The names in the tree that a module's docstring draws."""
    text = ast.get_docstring(MODULES[module]) or ""
    return set(re.findall(r"^(?:[│ ]*[├└]── )?([A-Z]\w+Error|(?<=── )\w+)\b", text, re.MULTILINE))


def test_all_errors_of_a_node_have_one_base() -> None:
    loose = {
        name for name, bases in BASES.items() if {"Exception", "BaseException"} & set(bases)
    } - {"ServerError"}
    assert loose == set()


def test_the_trees_name_every_error_and_nothing_else() -> None:
    trees = ("errors", "identity.errors", "backup.errors")
    drawn = set[str]().union(*(shown(f"parvis.server.{tree}") for tree in trees))
    assert drawn == {name for name in BASES if is_error(name)}
