"""Claims about names in an artifact: a table with a row for each.

A row has the claim's key, the names that it is about, whether there is anything to judge, and the command
that shows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linkage.artifact.facts import Archive, Binding, Dynamic
from linkage.judge.failed_claim import DYNAMIC, DYNAMIC_SYMBOLS, HEADERS, MEMBERS, NOTES, SECTIONS, SYMBOLS
from linkage.judge.rows import SymbolRow
from linkage.judge.view import Table, View


@dataclass(frozen=True, slots=True)
class Aspect:
    """One key of ArtifactClaims that takes names, or a part of one: `imports.optional`."""

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
        DYNAMIC_SYMBOLS,
    )


def _loader(
    key: str, names: Callable[[Dynamic], Sequence[str]], missing: str, *, itself: bool = False
) -> Aspect:
    """Names of the dynamic section; `itself`: they must not be missing, instead of the section."""

    def dynamic(view: View) -> Dynamic | None:
        return view.facts.object.dynamic if view.facts.object is not None else None

    def found(view: View) -> Sequence[str]:
        return names(dynamic(view) or Dynamic())

    return Aspect(key, Table.DYNAMIC, found, found if itself else dynamic, missing, DYNAMIC)


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
        "imports.optional",
        Table.DYNAMIC_SYMBOLS,
        lambda view: view.optional_imports,
        lambda view: view.dynamic,
        "no dynamic symbol table: the file is linked statically",
        DYNAMIC_SYMBOLS,
    ),
    Aspect(
        "duplicates",
        Table.MEMBER_SYMBOLS,
        lambda v: v.duplicates,
        lambda v: v.symbols,
        "no symbols in any member",
        SYMBOLS,
    ),
    _loader("needed", lambda d: d.needed, "no dynamic section"),
    _loader("needed.optional", lambda d: d.optional, "no dynamic section"),
    _loader("soname", lambda d: [d.soname] if d.soname else [], "no soname", itself=True),
    _loader("runpath", lambda d: (*d.runpath, *d.rpath), "no runpath", itself=True),
    _loader("symbol-versions", lambda d: (*d.versions_needed, *d.versions_defined), "no symbol versions"),
    Aspect("build-id", Table.SEGMENTS, _build_id, _build_id, "no build id", NOTES),
    Aspect(
        "gnu-properties",
        Table.HEADERS,
        lambda v: v.facts.object.properties if v.facts.object else (),
        lambda _: True,  # a file without any has been seen to have none
        "no GNU properties",
        NOTES,
    ),
    Aspect("interpreter", Table.SEGMENTS, _interpreter, _interpreter, "no interpreter", HEADERS),
    Aspect(
        "sections",
        Table.SECTIONS,
        lambda v: v.section_names,
        lambda v: v.section_names,
        "no sections",
        SECTIONS,
    ),
    _archive("members", lambda a: [m.name for m in a.members], _NO_MEMBERS, MEMBERS),
    _archive("crates", lambda a: sorted({m.crate for m in a.members if m.crate}), _NO_MEMBERS, MEMBERS),
    _archive("index", lambda a: a.index, "no symbol index", "nm -s {file}"),
)
"""All claims about names in an artifact."""
