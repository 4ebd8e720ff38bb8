"""What llvm-readobj prints, as data: the oracle of formats that no Python library knows."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_VERSIONS = range(30, 16, -1)


@dataclass
class ReadobjBlock:
    """`Name {` or `Name [` with its values and the blocks in it."""

    name: str
    values: dict[str, str] = field(default_factory=dict)
    blocks: list["ReadobjBlock"] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def all(self, name: str) -> Iterator["ReadobjBlock"]:
        """The blocks of a name, at any depth, in order."""
        for block in self.blocks:
            if block.name == name:
                yield block
            else:
                yield from block.all(name)


def llvm_tool(name: str) -> str:
    """The newest of LLVM's tools of this name; a skip that names the package if there is no recent one."""
    for version in _VERSIONS:
        if path := shutil.which(f"{name}-{version}"):
            return path
    plain = shutil.which(name)
    if plain is not None:
        told = subprocess.run([plain, "--version"], check=True, capture_output=True, text=True).stdout
        if (found := re.search(r"LLVM version (\d+)", told)) and int(found[1]) >= _VERSIONS[-1]:
            return plain
    pytest.skip(f"needs {name} {_VERSIONS[-1]} or later: install the package llvm-19 or a newer one")


def readobj(path: Path, *options: str) -> ReadobjBlock:
    """Everything that llvm-readobj prints of a file, the members of an archive one after the other."""
    command: Sequence[str | Path] = [llvm_tool("llvm-readobj"), *options, path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    top = ReadobjBlock("")
    stack = [top]
    for line in map(str.strip, text.splitlines()):
        if opened := re.fullmatch(r"(.*?):? ?(?:\(0x[0-9A-F]+\) )?[\[{](?: \(0x[0-9A-F]+\))?", line):
            block = ReadobjBlock(opened[1])
            stack[-1].blocks.append(block)
            stack.append(block)
        elif line in ("]", "}"):
            stack.pop()
        else:
            name, _, value = line.partition(":")
            stack[-1].values.setdefault(name, value.strip())
            stack[-1].lines.append(line)
    assert stack == [top], "blocks that are not closed"
    return top
