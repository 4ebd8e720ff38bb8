"""Claims that a value of an artifact answers: its kind, its flags, its size."""

from collections.abc import Iterator

from linkage.case.claims import ArtifactClaims
from linkage.judge.failed_claim import DYNAMIC, HEADERS, MEMBERS, SECTIONS, FailedClaim
from linkage.judge.name_set import Mismatch, compare, plural, unjudged
from linkage.judge.view import Table, View, described, is_foreign


def check_kind(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    """What does not hold of its format, its type and its size."""
    facts = view.facts
    if claims.format is not None and facts.error is not None:
        yield FailedClaim("format", unjudged(facts.error), "file {file}")
    elif claims.format is not None and facts.kind != claims.format:
        yield FailedClaim("format", Mismatch("", claims.format, facts.kind), "file {file}")
    if claims.type is not None:
        found = facts.object.type.value if facts.object is not None else described(facts)
        if facts.error is not None or is_foreign(facts):
            yield FailedClaim("type", unjudged(view.unseen(Table.SECTIONS) or found), HEADERS)
        elif found != claims.type:
            yield FailedClaim("type", Mismatch("", claims.type, found), HEADERS)
    if claims.size is not None and not compare(claims.size, facts.size):
        yield FailedClaim("size", Mismatch("", f"size {claims.size}", f"{facts.size} bytes"), "stat {file}")


_UNSAID = {"executable-stack": "the file does not say whether its stack is executable"}


def check_arrays(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    """What does not hold of the functions that are called when it is loaded and unloaded."""
    found = view.facts.object
    for key, comparison, count in (
        ("init-array", claims.init_array, found.init_array if found else 0),
        ("fini-array", claims.fini_array, found.fini_array if found else 0),
    ):
        if comparison is None:
            continue
        why = view.unjudgeable(key, Table.LOADED)
        if why is not None:
            yield FailedClaim(key, unjudged(why), SECTIONS)
        elif not compare(comparison, count):
            yield FailedClaim(key, Mismatch("", f"{key} {comparison}", plural(count, "function")), SECTIONS)


def check_flags(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    """What does not hold of the values that it has or has not."""
    found, archive = view.facts.object, view.facts.archive
    dynamic = found.dynamic if found is not None else None
    looked_at: tuple[tuple[str, object, object, Table, str], ...] = (
        ("pie", claims.pie, found.pie if found else None, Table.SEGMENTS, HEADERS),
        (
            "executable-stack",
            claims.executable_stack,
            found.executable_stack if found else None,
            Table.HEADERS,
            HEADERS,
        ),
        ("tls", claims.tls, found.tls if found else None, Table.LOADED, HEADERS),
        ("relro", claims.relro, found.relro.value if found else None, Table.SEGMENTS, HEADERS),
        ("bind-now", claims.bind_now, dynamic.bind_now if dynamic else None, Table.DYNAMIC, DYNAMIC),
        (
            "text-relocations",
            claims.text_relocations,
            dynamic.text_relocations if dynamic else None,
            Table.DYNAMIC,
            DYNAMIC,
        ),
        ("thin", claims.thin, archive.thin if archive else None, Table.MEMBERS, MEMBERS),
        ("bitcode", claims.bitcode, bool(view.bitcode), Table.EMBEDDED, SECTIONS),
        ("metadata", claims.metadata, bool(view.metadata), Table.EMBEDDED, SECTIONS),
    )
    for key, claimed, is_so, table, look in looked_at:
        if claimed is None:
            continue
        why = view.unjudgeable(key, table) or (
            _UNSAID.get(key, "no dynamic section") if is_so is None else None
        )
        if why is not None:
            yield FailedClaim(key, unjudged(why), look)
        elif claimed != is_so:
            yield FailedClaim(key, Mismatch("", str(claimed).lower(), str(is_so).lower()), look)
