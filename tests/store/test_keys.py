"""Keys: outcomes and facts depend on the code that obtains them."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from linkage.store.keys import READERS, RUNNERS, own_code

ELSEWHERE = {
    "linkage.errors": "classes of errors",
    "linkage.case": "what a case says is in the key of its step",
    "linkage.plan.command": "data: the command is in the key",
    "linkage.plan.operations": "data: the operation is in the key",
    "linkage.plan.plan": "what is planned is in the key",
    "linkage.plan.steps": "what is planned is in the key",
    "linkage.plan.expectation": "judges outcomes, and obtains none",
    "linkage.run.job_server": "how many processes run at once changes no outcome",
    "linkage.run.machine_key": "what it finds is in the key",
    "linkage.run.placeless_facts": "changes facts after they were cached",
    "linkage.store": "where outcomes are kept; VERSION tells layouts apart",
    "linkage.toolchain": "the toolchain's fingerprint and version are in the key",
}
"""Modules that the runner imports and that the keys need not depend on, with the reason."""


def _imported(module: str) -> set[str]:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linkage"):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if _is_module(name)}
            found |= modules or {str(node.module)}
    return found


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _covered(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def test_every_module_that_influences_outcomes_is_part_of_the_keys() -> None:
    known = (*READERS, *RUNNERS, *ELSEWHERE)
    imported = {one for module in RUNNERS for one in _imported(module)}
    assert {module for module in imported if not _covered(module, known)} == set()
    assert imported >= {"linkage.run.workspace", "linkage.run.linker_wrapper", "linkage.host.process"}


def test_absent_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module `linkage.run.gone`"):
        own_code(("linkage.run.executor", "linkage.run.gone"))


def test_the_readers_of_every_format_are_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files in subfolders too."""
    read: list[str] = []
    original = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(str(path))
        return original(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    own_code.cache_clear()
    own_code(READERS)
    own_code(RUNNERS)
    for file in ("artifact/elf/file.py", "artifact/reader.py", "run/linker_wrapper.sh"):
        assert any(one.endswith(file) for one in read)
