"""Claims about one artifact, judged on its facts. Pure.

Each aspect is a row of a table: the claim's key, the names that it is about, whether there is anything
to judge, and the command that shows it.
"""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from linkage.artifact.facts import Archive, ArchiveMember, Binding, Dynamic, Facts, ObjectType
from linkage.case.claims import ArtifactClaims, Names, SectionClaim, SymbolKind, Symbols, Text
from linkage.errors import PatternError
from linkage.host.terminal import escape
from linkage.judge.formats import command_for, missing_in
from linkage.judge.name_set import (
    Mismatch,
    asks_for_nothing,
    asks_for_something,
    check_names,
    compare,
    counted,
    listing,
    missing_from,
    none_of,
    plural,
    readable,
    unjudged,
    until_unmatchable,
)
from linkage.judge.pattern import compile_patterns
from linkage.judge.rows import SymbolRow
from linkage.judge.text import check_text
from linkage.judge.verdict import OtherVariant
from linkage.judge.view import Table, View, describe, described, facts_of, is_foreign
from linkage.toolchain.version import RustcVersion

SYMBOLS = "readelf -sW {file}"
"""The command that shows a symbol table."""

_DYNAMIC_SYMBOLS = "readelf --dyn-syms -W {file}"
_DYNAMIC = "readelf -dW {file}"
_SECTIONS = "readelf -SW {file}"
_HEADERS = "readelf -hlW {file}"
_NOTES = "readelf -nW {file}"
_MEMBERS = "ar t {file}"


@dataclass(frozen=True, slots=True)
class Aspect:
    """One key of ArtifactClaims that takes names."""

    key: str
    table: Table
    """What must have been read, whole."""
    names: Callable[[View], Sequence[str]]
    any: Callable[[View], object]
    """What must not be empty, unless the claim is that there are no names."""
    missing: str
    look: str


def _symbols(key: str, chosen: Callable[[SymbolRow], bool]) -> Aspect:
    missing = "no symbol table: the file is stripped"
    return Aspect(key, Table.SYMBOLS, lambda v: v.select(chosen), lambda v: v.symbols, missing, SYMBOLS)


def _dynamic_symbols(key: str, chosen: Callable[[SymbolRow], bool]) -> Aspect:
    return Aspect(
        key,
        Table.DYNAMIC_SYMBOLS,
        lambda view: view.select(chosen, dynamic=True),
        lambda view: view.dynamic,
        "no dynamic symbol table: the file is linked statically",
        _DYNAMIC_SYMBOLS,
    )


def _loader(
    key: str, names: Callable[[Dynamic], Sequence[str]], missing: str, *, itself: bool = False
) -> Aspect:
    """Names of the dynamic section; `itself`: they must not be missing, instead of the section."""

    def dynamic(view: View) -> Dynamic | None:
        return view.facts.object.dynamic if view.facts.object is not None else None

    def found(view: View) -> Sequence[str]:
        return names(dynamic(view) or Dynamic())

    return Aspect(key, Table.DYNAMIC, found, found if itself else dynamic, missing, _DYNAMIC)


def _archive(key: str, names: Callable[[Archive], Sequence[str] | None], missing: str, look: str) -> Aspect:
    def found(view: View) -> Sequence[str]:
        return names(view.facts.archive) or () if view.facts.archive is not None else ()

    return Aspect(key, Table.MEMBERS, found, found, missing, look)


def _interpreter(view: View) -> list[str]:
    found = view.facts.object.interpreter if view.facts.object is not None else None
    return [found] if found else []


def _build_id(view: View) -> list[str]:
    found = view.facts.object.build_id if view.facts.object is not None else None
    return [found] if found else []


_NO_MEMBERS = "the archive is empty"

ASPECTS: tuple[Aspect, ...] = (
    _symbols("defines", lambda s: s.defined),
    _symbols("undefined", lambda s: not s.defined),
    Aspect(
        "unresolved",
        Table.SYMBOLS,
        lambda v: v.unresolved,
        lambda v: v.symbols,
        "no symbol table: the file is stripped",
        SYMBOLS,
    ),
    _symbols("weak", lambda s: s.defined and s.binding is Binding.WEAK),
    _symbols("local", lambda s: s.defined and s.binding is Binding.LOCAL),
    _symbols("global", lambda s: s.defined and s.binding in {Binding.GLOBAL, Binding.UNIQUE}),
    _symbols("hidden", lambda s: s.defined and s.hidden),
    _symbols("absolute", lambda s: s.absolute),
    _dynamic_symbols("exports", lambda s: s.defined),
    _dynamic_symbols("imports", lambda s: not s.defined),
    Aspect(
        "duplicates",
        Table.MEMBER_SYMBOLS,
        lambda v: v.duplicates,
        lambda v: v.symbols,
        "no symbols in any member",
        SYMBOLS,
    ),
    _loader("needed", lambda d: d.needed, "no dynamic section"),
    _loader("soname", lambda d: [d.soname] if d.soname else [], "no soname", itself=True),
    _loader("runpath", lambda d: (*d.runpath, *d.rpath), "no runpath", itself=True),
    _loader("symbol-versions", lambda d: (*d.versions_needed, *d.versions_defined), "no symbol versions"),
    Aspect("build-id", Table.SEGMENTS, _build_id, _build_id, "no build id", _NOTES),
    Aspect(
        "gnu-properties",
        Table.HEADERS,
        lambda v: v.facts.object.properties if v.facts.object else (),
        lambda _: True,  # a file without any has been seen to have none
        "no GNU properties",
        _NOTES,
    ),
    Aspect("interpreter", Table.SEGMENTS, _interpreter, _interpreter, "no interpreter", _HEADERS),
    Aspect(
        "sections",
        Table.SECTIONS,
        lambda v: v.section_names,
        lambda v: v.section_names,
        "no sections",
        _SECTIONS,
    ),
    _archive("members", lambda a: [m.name for m in a.members], _NO_MEMBERS, _MEMBERS),
    _archive("crates", lambda a: sorted({m.crate for m in a.members if m.crate}), _NO_MEMBERS, _MEMBERS),
    _archive("index", lambda a: a.index, "no symbol index", "nm -s {file}"),
)
"""All claims about names in an artifact."""


@dataclass(frozen=True, slots=True)
class FailedClaim:
    """A claim that does not hold, or cannot be judged: its key, why, and the command that shows it."""

    key: str
    mismatch: Mismatch
    look: str
    member: str = ""
    """The archive's member that it is about."""
    other: OtherVariant | None = None
    """The variant that it compares with."""


def check_artifact(
    claims: ArtifactClaims, view: View, version: RustcVersion, files: Mapping[str, str]
) -> Iterator[FailedClaim]:
    """The claims that do not hold, in the order of the table; comparisons are in `comparison`.

    `files` are the expected texts beside the case.
    """
    for failed in _failed(claims, view, version, files):
        yield replace(failed, look=fitting(failed.look, view))


def fitting(look: str, view: View) -> str:
    """The command that shows a table, for a file of this format."""
    facts = view.facts
    if facts.error is not None or is_foreign(facts):
        return "file {file}" if look.startswith(("readelf", "nm", "ar t", "objdump")) else look
    if any(part.object is None and part.bitcode is not None for part in view.parts):
        return look.replace("readelf -sW", "llvm-nm")
    return command_for(look, next((one.kind for one in view.objects), facts.kind))


def _failed(
    claims: ArtifactClaims, view: View, version: RustcVersion, files: Mapping[str, str]
) -> Iterator[FailedClaim]:
    yield from _kind(claims, view)
    yield from _names(claims, view, version)
    for function, wanted in claims.references.items():
        yield from _references(function, wanted, view, version)
    yield from _flags(claims, view)
    yield from _arrays(claims, view)
    for name, section in claims.section.items():
        yield from _section(name, section, view)
    if claims.text is not None:
        yield from _text(claims.text, view.facts, files)
    for pattern, inner in claims.each_member.items():
        yield from _each_member(pattern, inner, view, version, files)


def _names(claims: ArtifactClaims, view: View, version: RustcVersion) -> Iterator[FailedClaim]:
    for aspect in ASPECTS:
        claim: Names | None = getattr(
            claims, {"global": "global_"}.get(aspect.key, aspect.key.replace("-", "_"))
        )
        if claim is not None and claim.about_names:
            for miss in _aspect(aspect, claim, view, version):
                yield FailedClaim(aspect.key, miss, aspect.look)
    if claims.symbol_versions is not None:
        for pattern, carriers in claims.symbol_versions.symbols.items():
            for miss in _carriers(pattern, carriers, view, version):
                yield FailedClaim(f"symbol-versions.symbols.{pattern}", miss, _DYNAMIC_SYMBOLS)
    for index, general in enumerate(claims.symbols):
        for miss in _general(general, view, version):
            yield FailedClaim(
                f"symbols[{index}]", miss, _DYNAMIC_SYMBOLS if general.table == "dynamic" else SYMBOLS
            )


def _text(claim: Text, facts: Facts, files: Mapping[str, str]) -> Iterator[FailedClaim]:
    text = None if facts.other is None or is_foreign(facts) else facts.other.text
    if facts.kind != "empty" and text is None:
        unknown = facts.other is not None and facts.other.format is None
        found = "is not UTF-8 or larger than 1 MiB" if unknown else f"is {described(facts)}"
        yield FailedClaim("text", unjudged(f"no text to judge: the file {found}"), "file {file}")
        return
    for miss in check_text(claim, text or "", files):
        yield FailedClaim("text", miss, "cat {file}")


def _kind(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    facts = view.facts
    if claims.format is not None and facts.error is not None:
        yield FailedClaim("format", unjudged(facts.error), "file {file}")
    elif claims.format is not None and facts.kind != claims.format:
        yield FailedClaim("format", Mismatch("", claims.format, facts.kind), "file {file}")
    if claims.type is not None:
        found = facts.object.type.value if facts.object is not None else described(facts)
        if facts.error is not None or is_foreign(facts):
            yield FailedClaim("type", unjudged(view.unseen(Table.SECTIONS) or found), _HEADERS)
        elif found != claims.type:
            yield FailedClaim("type", Mismatch("", claims.type, found), _HEADERS)
    if claims.size is not None and not compare(claims.size, facts.size):
        yield FailedClaim("size", Mismatch("", f"size {claims.size}", f"{facts.size} bytes"), "stat {file}")


def _aspect(aspect: Aspect, claim: Names, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    why = view.unjudgeable(aspect.key, aspect.table)
    if why is not None:
        yield unjudged(why)
        return
    names = aspect.names(view)
    if not aspect.any(view) and not asks_for_nothing(claim):
        missing = missing_in(aspect.missing, view.facts.kind)
        positive = asks_for_something(claim)
        yield Mismatch("", "names to judge", missing) if positive else unjudged(missing)
        return
    for miss in check_names(claim, names, version):
        wanted = [
            pattern.exact
            for pattern in compile_patterns((*claim.all, *(claim.only or ())), version)
            if pattern.exact
        ]
        states = [state for name in wanted if name not in names for state in view.states(name)]
        yield replace(
            miss, nearest=(*states, *miss.nearest) if miss.part in ("all", "only") else miss.nearest
        )


@until_unmatchable
def _carriers(pattern: str, claim: Names, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    """What does not hold of the symbols that carry a version."""
    why = view.unjudgeable("symbol-versions", Table.DYNAMIC_SYMBOLS)
    if why is not None:
        yield unjudged(why)
        return
    wanted = compile_patterns((pattern,), version)[0]
    names = [
        symbol.listed
        for symbol in view.dynamic or ()
        if symbol.table.versions and not symbol.version_node and wanted.matches(symbol.version or "")
    ]
    if names or asks_for_nothing(claim):
        yield from check_names(claim, names, version)
    else:
        found = f"no symbol of version {pattern}"
        yield Mismatch("", "symbols", found) if asks_for_something(claim) else unjudged(found)


@until_unmatchable
def _general(claim: Symbols, view: View, version: RustcVersion) -> Iterator[Mismatch]:
    is_dynamic = claim.table == "dynamic"
    why = view.unseen(Table.DYNAMIC_SYMBOLS if is_dynamic else Table.SYMBOLS)
    table = view.dynamic if is_dynamic else view.symbols
    if why is not None or not table:
        found = why or f"no {claim.table} symbol table"
        asks_for_some = not compare(claim.count or ">=1", 0)
        positive = why is None and asks_for_some
        yield Mismatch("", "symbols to judge", found) if positive else unjudged(found)
        return
    names, without = compile_patterns(claim.names, version), compile_patterns(claim.except_, version)
    where, expected = _kind_of(claim.where, version), _kind_of(claim.expect, version)
    chosen = [
        symbol
        for symbol in table
        if any(one.matches(view.listed(symbol)) for one in names)
        and not any(one.matches(view.listed(symbol)) for one in without)
        and where(symbol)
    ]
    if not compare(claim.count or ">=1", len(chosen)):
        yield Mismatch(
            "count",
            f"{', '.join(claim.names)}: count {claim.count or '>=1'}",
            counted(readable(claim.names, [s.listed for s in chosen])),
            wrong=str(len(chosen)),
        )
    wrong = [symbol for symbol in chosen if not expected(symbol)]
    if wrong and claim.expect is not None:
        shown = readable(claim.names, [symbol.listed for symbol in wrong])
        claimed = ", ".join(
            f"{key} {value}"
            for key, value in claim.expect.model_dump(by_alias=True, exclude_none=True).items()
        )
        yield Mismatch(
            "expect",
            f"each has {claimed}",
            listing([f"{name} ({describe(symbol)})" for name, symbol in zip(shown, wrong, strict=True)]),
        )


def _kind_of(kind: SymbolKind | None, version: RustcVersion) -> Callable[[SymbolRow], bool]:
    """Whether a symbol is of this kind; any symbol is of no kind in particular."""
    if kind is None:
        return lambda _: True
    (section,) = compile_patterns((kind.section or "*",), version)
    (of_version,) = compile_patterns((kind.version or "*",), version)

    def is_of_kind(symbol: SymbolRow) -> bool:
        return (
            kind.defined in (None, symbol.defined)
            and kind.binding in (None, symbol.binding.name.lower())
            and kind.visibility in (None, symbol.visibility.name.lower())
            and kind.type in (None, symbol.type.name.lower())
            and kind.absolute in (None, symbol.absolute)
            and (kind.size is None or compare(kind.size, symbol.size))
            and (kind.section is None or section.matches(symbol.section or ""))
            and (kind.version is None or of_version.matches(symbol.version or ""))
        )

    return is_of_kind


def _references(function: str, claim: Names, view: View, version: RustcVersion) -> Iterator[FailedClaim]:
    look = f"objdump -dr --disassemble={function} {{file}}"
    why = view.unseen(Table.CODE)
    if why is not None or function not in view.references:
        found = why or f"no function {function} with readable code"
        near = tuple(state for state in view.states(function))
        miss = replace(unjudged(found), nearest=near)
        yield FailedClaim(f"references.{function}", miss, look)
        return
    for miss in check_names(claim, view.references[function], version):
        yield FailedClaim(f"references.{function}", miss, look)


_UNSAID = {"executable-stack": "the file does not say whether its stack is executable"}


def _arrays(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    found = view.facts.object
    for key, comparison, count in (
        ("init-array", claims.init_array, found.init_array if found else 0),
        ("fini-array", claims.fini_array, found.fini_array if found else 0),
    ):
        if comparison is None:
            continue
        why = view.unjudgeable(key, Table.LOADED)
        if why is not None:
            yield FailedClaim(key, unjudged(why), _SECTIONS)
        elif not compare(comparison, count):
            yield FailedClaim(key, Mismatch("", f"{key} {comparison}", plural(count, "function")), _SECTIONS)


def _flags(claims: ArtifactClaims, view: View) -> Iterator[FailedClaim]:
    found, archive = view.facts.object, view.facts.archive
    dynamic = found.dynamic if found is not None else None
    looked_at: tuple[tuple[str, object, object, Table, str], ...] = (
        ("pie", claims.pie, found.pie if found else None, Table.SEGMENTS, _HEADERS),
        (
            "executable-stack",
            claims.executable_stack,
            found.executable_stack if found else None,
            Table.HEADERS,
            _HEADERS,
        ),
        ("tls", claims.tls, found.tls if found else None, Table.LOADED, _HEADERS),
        ("relro", claims.relro, found.relro.value if found else None, Table.SEGMENTS, _HEADERS),
        ("bind-now", claims.bind_now, dynamic.bind_now if dynamic else None, Table.DYNAMIC, _DYNAMIC),
        (
            "text-relocations",
            claims.text_relocations,
            dynamic.text_relocations if dynamic else None,
            Table.DYNAMIC,
            _DYNAMIC,
        ),
        ("thin", claims.thin, archive.thin if archive else None, Table.MEMBERS, _MEMBERS),
        ("bitcode", claims.bitcode, bool(view.bitcode), Table.EMBEDDED, _SECTIONS),
        ("metadata", claims.metadata, bool(view.metadata), Table.EMBEDDED, _SECTIONS),
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


def _section(name: str, claim: SectionClaim, view: View) -> Iterator[FailedClaim]:
    found = view.sections(name)
    key = f"section.{name}"
    why = view.unseen(Table.SECTIONS)
    if why is not None:
        yield FailedClaim(key, unjudged(why), _SECTIONS)
        return
    if not found:
        yield FailedClaim(key, Mismatch("", f"section {name}", missing_from(view.section_names)), _SECTIONS)
        return
    for section in found:
        if claim.size is not None and not compare(claim.size, section.size):
            yield FailedClaim(key, Mismatch("size", f"size {claim.size}", f"{section.size} bytes"), _SECTIONS)
        if claim.compressed is not None and claim.compressed != section.compressed:
            yield FailedClaim(
                key,
                Mismatch("compressed", str(claim.compressed).lower(), str(section.compressed).lower()),
                _SECTIONS,
            )
        if claim.flags is not None and claim.flags != section.flags:
            yield FailedClaim(key, Mismatch("flags", claim.flags, section.flags), _SECTIONS)
    if claim.contains or claim.not_contains:
        yield from _content(name, claim, view)


def _content(name: str, claim: SectionClaim, view: View) -> Iterator[FailedClaim]:
    key = f"section.{name}"
    contents = [one.contents[name] for one in view.objects if name in one.contents]
    if not any(contents):
        miss = Mismatch("", "content to judge", "an empty section")
        debug_only = any(one.type is ObjectType.DEBUG for one in view.objects)
        if debug_only:
            miss = unjudged("its content is in the file that the debug-only file was split from")
        elif not (contents and claim.contains):
            miss = unjudged("no content to judge: " + ("it is empty" if contents else "it was not read"))
        yield FailedClaim(key, miss, _SECTIONS)
        return
    for part in claim.contains:
        if not any(part.encode() in content for content in contents):
            yield FailedClaim(
                key,
                Mismatch("contains", f"contains {part!r}", f"not in its {sum(map(len, contents))} bytes"),
                f"readelf -p {name} {{file}}",
            )
    for unwanted in claim.not_contains:
        if any(unwanted.encode() in content for content in contents):
            yield FailedClaim(
                key,
                Mismatch("not-contains", f"does not contain {unwanted!r}", "contains it"),
                f"readelf -p {name} {{file}}",
            )


def _each_member(
    pattern: str, claims: ArtifactClaims, view: View, version: RustcVersion, files: Mapping[str, str]
) -> Iterator[FailedClaim]:
    members = tuple(view.facts.archive.members) if view.facts.archive is not None else ()
    matching = compile_patterns((pattern,), version)[0]
    with_symbols = claims.where == "symbols"
    try:
        chosen = {
            id(member)
            for member in members
            if matching.matches(member.name) and (not with_symbols or _may_have_symbols(member))
        }
    except PatternError as error:
        yield FailedClaim(f"each-member.{pattern}", unjudged(str(error)), _MEMBERS)
        return
    if not chosen:
        what = "no member with symbols" if with_symbols else "no member"
        found_members = none_of([member.name for member in members])
        why = view.unseen(Table.MEMBERS) or f"{what} matches {pattern}: {found_members}"
        yield FailedClaim(f"each-member.{pattern}", unjudged(why), _MEMBERS)
    names, seen = Counter(member.name for member in members), Counter[str]()
    for member in members:
        seen[member.name] += 1
        if id(member) not in chosen:
            continue
        file, extracted = _extraction(member.name, seen[member.name] if names[member.name] > 1 else 0)
        for found in check_artifact(claims, View(facts_of(member)), version, files):
            yield replace(
                found,
                key=f"each-member.{pattern}.{found.key}",
                look=f"{extracted} && {braced(found.look.format(file=file))}" if found.look else "",
                member=escape(member.name),
            )


def _may_have_symbols(member: ArchiveMember) -> bool:
    """Whether a member has symbols, as far as is known: rustc's metadata and an empty object have none."""
    if member.object is None and member.bitcode is None:
        return member.error is not None or member.unread not in (None, "text")
    view = View(facts_of(member))
    return view.unseen(Table.SYMBOLS) is not None or bool(view.symbols)


def _extraction(name: str, number: int) -> tuple[str, str]:
    """The file that a member is extracted to, and the command that does it.

    `number`: of several members of this name, which one it is; 0 if there is one.
    """
    member, file = shlex.quote(escape(name)), shlex.quote(escape(PurePosixPath(name).name))
    if number:
        return file, f"ar xN {number} {{file}} {braced(member)}"
    return file, f"ar p {{file}} {braced(member)} > {braced(file)}"


def braced(text: str) -> str:
    """A text as a part of a format string."""
    return text.replace("{", "{{").replace("}", "}}")
