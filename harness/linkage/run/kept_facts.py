"""What the store keeps of a file's facts: those of archives' large parts by themselves, each once.

Every static library that holds std holds the same objects of it, and what the readers find in them is
most of what is kept of it.
"""

from dataclasses import replace
from hashlib import blake2b

from linkage.artifact.facts import Members
from linkage.run.executor import FileFacts
from linkage.store.store import Store

_LARGE = 4096
"""Bytes of a part that is kept by itself."""
_BY_NAME = b"@"
"""Before the name of a part that is kept by itself; a part's own bytes, zlib's, never begin so."""


def put_facts(store: Store, key: str, seen: FileFacts) -> None:
    """Cache the facts of a file."""
    archive = seen.facts.archive
    if archive is not None:
        packed = tuple(part if len(part) < _LARGE else _put(store, part) for part in archive.members.packed)
        seen = _with_members(seen, packed)
    store.put("facts", key, seen)


def get_facts(store: Store, key: str) -> FileFacts | None:
    """The facts of a file; None if a part of them is not cached."""
    seen = store.get("facts", key, FileFacts)
    if seen is None or seen.facts.archive is None:
        return seen
    packed = [
        _get(store, part[len(_BY_NAME) :].decode()) if part.startswith(_BY_NAME) else part
        for part in seen.facts.archive.members.packed
    ]
    whole = tuple(part for part in packed if part is not None)
    return _with_members(seen, whole) if len(whole) == len(packed) else None


def _put(store: Store, part: bytes) -> bytes:
    name = blake2b(part, digest_size=16).hexdigest()
    if _get(store, name) != part:
        store.put("parts", name, part)
        store.parts.put(name, part)
    return _BY_NAME + name.encode()


def _get(store: Store, name: str) -> bytes | None:
    found = store.parts.get(name)
    if found is None and (found := store.get("parts", name, bytes)) is not None:
        store.parts.put(name, found)
    return found


def _with_members(seen: FileFacts, packed: tuple[bytes, ...]) -> FileFacts:
    archive = seen.facts.archive
    assert archive is not None  # noqa: S101 - whose members they are
    return replace(seen, facts=replace(seen.facts, archive=replace(archive, members=Members(packed))))
