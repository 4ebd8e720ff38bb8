"""The export trie: what a linked file offers, by name.

Format: Apple's <mach-o/loader.h>, at `dyld_info_command`, and EXPORT_SYMBOL_FLAGS_*. LC_DYLD_INFO and
LC_DYLD_EXPORTS_TRIE refer to the same structure. Each node is reached once; what a node has before its
children is an export, whose name is the path to the node.
"""

import struct
from dataclasses import dataclass, field

from linkage.artifact.bounds import LONGEST_NAME
from linkage.artifact.macho.leb128 import uleb128
from linkage.errors import ArtifactError

_LIMIT = 1 << 26  # bytes of all names, the unfinished ones included; those of librustc_driver take some 24 MB

KIND, ABSOLUTE, THREAD_LOCAL = 0x3, 0x2, 0x1
WEAK, REEXPORT, RESOLVER = 0x4, 0x8, 0x10
_WHAT = "export trie"
_LEAF, _SIZE_AND_FLAGS = struct.Struct("<HBBBB"), 4
"""What most nodes are: no flags, an address of three bytes, no children."""
_LAST = 0x7F  # the highest byte that ends a LEB128 number


@dataclass(slots=True)
class TrieExports:
    """Exports as columns: raw names, flags, and addresses, which are counted from the image's start.

    For a re-export, the address is the ordinal of the library; `originals` has its name there, if another.
    """

    names: list[bytes] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)
    originals: dict[bytes, bytes] = field(default_factory=dict)


def read_trie(trie: bytes) -> TrieExports:
    """All exports. ArtifactError if the trie is damaged, or has a loop."""
    found = TrieExports()
    try:
        _read(trie, found)
    except (IndexError, ValueError):
        raise ArtifactError(f"{_WHAT}: a node reaches beyond its end ({len(trie)} bytes)") from None
    if max(map(len, found.names), default=0) > LONGEST_NAME:
        raise ArtifactError(f"{_WHAT}: a name of more than {LONGEST_NAME} bytes")
    return found


def _read(trie: bytes, found: TrieExports) -> None:
    """Most of the time of reading a library is spent here: what is common is done without a call."""
    seen, left, last_leaf = bytearray(len(trie)), _LIMIT, len(trie) - _LEAF.size
    pending = [(0, b"")] if trie else []
    while pending:
        at, name = pending.pop()
        if seen[at]:
            raise ArtifactError(f"{_WHAT}: the node at offset {at:#x} is reached twice")
        seen[at] = 1
        size, at = uleb128(trie, at, _WHAT)
        if size:
            _add(trie, at, at + size, name, found)
            at += size
        children = trie[at]
        at += 1
        while children:
            end = trie.index(0, at)
            edge = name + trie[at:end]
            left -= len(edge)
            if left < 0:
                raise ArtifactError(f"{_WHAT}: names of more than {_LIMIT} bytes")
            child, at = trie[end + 1], end + 2
            if child > _LAST:
                child, at = uleb128(trie, end + 1, _WHAT)
            children -= 1
            if child <= last_leaf and not seen[child]:
                node, low, middle, high, below = _LEAF.unpack_from(trie, child)
                if node == _SIZE_AND_FLAGS and low > _LAST and middle > _LAST >= high and not below:
                    seen[child] = 1
                    found.names.append(edge)
                    found.flags.append(0)
                    found.addresses.append(low + (middle << 7) + (high << 14) - 0x4080)
                    continue
            pending.append((child, edge))


def _add(trie: bytes, at: int, end: int, name: bytes, found: TrieExports) -> None:
    """Add what a node offers: flags, and an address, or the ordinal of a library and a name."""
    flags, at = trie[at], at + 1
    if flags > _LAST:
        flags, at = uleb128(trie, at - 1, _WHAT)
    address, at = uleb128(trie, at, _WHAT)
    if at > end or end > len(trie):
        raise IndexError
    if flags & REEXPORT and (original := trie[at : trie.index(0, at, end)]):
        found.originals[name] = original
    found.names.append(name)
    found.flags.append(flags)
    found.addresses.append(address)
