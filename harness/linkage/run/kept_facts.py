"""A file's facts as the store keeps them: those of archives' large parts separately, each once.

Every static library that contains std has the same objects of it, and the facts of these objects are
most of the library's facts.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from linkage.artifact.facts import Archive, ArchiveMember, Facts, Members
from linkage.artifact.reader import read
from linkage.errors import ArtifactError
from linkage.plan.plan import Read
from linkage.plan.state import State, target
from linkage.store.keys import facts_key, thin_facts_key
from linkage.store.store import Store

_LARGE = 4096
"""From this size in bytes on, a part is stored separately."""
_BY_NAME = b"@"
"""Precedes the name of a part that is stored separately; a part's own bytes, zlib's, never begin so."""
_REFERRING = "thin"
"""The kind of the facts that only name a thin archive's members: with their contents they are the key of
its facts.
"""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was found in one file: its facts, and which of the requested texts it contains."""

    facts: Facts
    texts: tuple[str, ...] = ()


def read_facts(request: Read, root: Path, state: State) -> FileFacts:
    """Read the facts of one file of the folder, and what else is requested."""
    name = request.pattern
    path = root / name
    try:
        node = target(name, state)
        digest = node.stored if node is not None else None
        facts = read(
            path,
            references=request.functions,
            contents=request.contents,
            for_comparison=request.for_comparison,
            digest=digest,
            root=root,
        )
        return FileFacts(facts, _texts(request.texts, path))
    except (ArtifactError, OSError) as error:
        why = error.what if isinstance(error, ArtifactError) else error.strerror or str(error)
        return FileFacts(Facts("unreadable", state[name].size, "", error=why))


def read_toolchain_file(request: Read, path: Path) -> FileFacts:
    """Read the facts of a file of the toolchain, and what else is requested."""
    try:
        facts = read(path, references=request.functions, contents=request.contents)
        return FileFacts(facts, _texts(request.texts, path))
    except (ArtifactError, OSError) as error:
        why = error.what if isinstance(error, ArtifactError) else error.strerror or str(error)
        return FileFacts(Facts("unreadable", 0, "", error=why))


def _texts(texts: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """Which of the texts the file contains."""
    content = path.read_bytes() if texts else b""
    return tuple(text for text in texts if text.encode() in content)


def put_facts(store: Store, state: State, request: Read, seen: FileFacts) -> None:
    """Cache the facts of a file; of a thin archive, only if the state has the files that it refers to."""
    archive, key = seen.facts.archive, facts_key(state, request)
    if archive is not None and archive.thin:
        names = [ArchiveMember(member.name, member.size) for member in archive.members]
        referring = Archive(archive.flavour, thin=True, members=Members.of(names), index=None)
        store.put("facts", key, FileFacts(Facts(_REFERRING, 0, "", archive=referring)))
        referred = thin_facts_key(key, state, request, [member.name for member in names])
        if referred is None:
            return
        key = referred
    if archive is not None:
        packed = tuple(part if len(part) < _LARGE else _put(store, part) for part in archive.members.packed)
        seen = _with_members(seen, packed)
    store.put("facts", key, seen)


def get_facts(store: Store, state: State, request: Read) -> FileFacts | None:
    """The facts of a file; None if a part of them is not cached."""
    key = facts_key(state, request)
    seen = store.get("facts", key, FileFacts)
    if seen is not None and seen.facts.kind == _REFERRING:
        members = seen.facts.archive.members if seen.facts.archive is not None else ()
        referred = thin_facts_key(key, state, request, [member.name for member in members])
        seen = store.get("facts", referred, FileFacts) if referred is not None else None
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
