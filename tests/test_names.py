"""Names that a reader can rely on: one class of each name, modules that are nouns, `Path` from pathlib."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = {
    path: ast.parse(path.read_text("utf-8"))
    for folder in ("harness", "tests", "ci")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
NOT_NOUNS = {"ahead", "alike", "both", "ended", "made", "mentioned", "recent", "wanted"}
NOT_DOMAIN = {"common", "helpers", "lab", "parts", "places", "sides", "upkeep", "utils"}


def test_the_name_of_a_class_is_unique() -> None:
    found = defaultdict(list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_modules_and_packages_are_named_after_what_they_are_about() -> None:
    names = {
        part.removesuffix(".py").removeprefix("test_"): path
        for path in TREES
        for part in path.relative_to(ROOT).parts
    }
    assert {name: names[name] for name in sorted((NOT_NOUNS | NOT_DOMAIN) & names.keys())} == {}


@pytest.mark.parametrize("name", ["Path", "PurePath", "PurePosixPath"])
def test_a_path_is_pathlibs(name: str) -> None:
    others = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and name in _bound(node)
    ]
    assert others == []


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives to something; an import from pathlib aside."""
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            yield node.name
        case ast.ImportFrom(module=module) if module != "pathlib":
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Assign():
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
