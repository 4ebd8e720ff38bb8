"""What `linkage inspect` shows of an artifact on a terminal: a head, then tables; long ones are cut."""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from rich.console import Console
from rich.text import Text

from linkage.artifact import demangle
from linkage.artifact.facts import Archive, Binding, Bitcode, Dynamic, Facts, Metadata, ObjectFile, Symbol
from linkage.host.terminal import escape
from linkage.judge.formats import no_counterpart
from linkage.render.inspect_data import Selection, place, tables

_ROWS = 40
"""Rows of a table that are shown without `--all`."""
_SECTION_WIDTH = 24
"""Characters of a symbol's section without `--all`: with -ffunction-sections it repeats the name."""
_TYPES = {"shared": "shared library", "relocatable": "object file", "debug-only": "debug-only file"}
_ENDLESS = 1 << 20
_COLUMN = 64
"""The maximum width of a column in characters; longer texts overflow it."""

Row = tuple[str, ...]


class Printer:
    """Prints the facts of one file after the other."""

    def __init__(self, selection: Selection, *, everything: bool, colour: bool) -> None:
        # The output is collected and written at once: rich ends the process if a pipe is closed.
        self._out = io.StringIO()
        self._console = Console(file=self._out, force_terminal=colour, highlight=False, soft_wrap=True)
        self._selection = selection
        self._everything = everything

    def show(self, name: str, facts: Facts) -> None:
        """Print everything that the user asked for about one file."""
        self._console.print(Text.assemble((escape(name), "bold"), f": {_headline(facts)}"))
        if facts.object is not None:
            self._object(facts.object)
        elif facts.archive is not None:
            self._archive(facts.archive)
        elif facts.bitcode is not None:
            self._tables(facts.bitcode)
        self._console.print()

    def text(self) -> str:
        """What has been printed so far."""
        return self._out.getvalue()

    def _object(self, found: ObjectFile) -> None:
        if not self._selection.narrow:
            self._fields(_fields(found))
        self._references([found])
        self._tables(found)
        if not self._selection.narrow:
            self._asked(found)
            rows = [
                (one.type, one.flags, str(one.size), escape(one.name, self._limit)) for one in found.sections
            ]
            self._table("sections", ("type", "flags", ">size", "name"), rows)

    def _asked(self, found: ObjectFile) -> None:
        """What is asked of the loader and of the linker, name by name."""
        dynamic = found.dynamic or Dynamic()
        libraries = [
            (library, "later" if library in dynamic.optional else "", name)
            for library, names in dynamic.imports.items()
            for name in names or ("",)
        ]
        ordinals = sorted((str(number), name) for name, number in dynamic.ordinals.items())
        ordinals.sort(key=lambda row: int(row[0]))
        listed: tuple[tuple[str, Row, Collection[Row]], ...] = (
            ("imports by library", ("library", "", "name"), libraries),
            ("ordinals of exports", (">ordinal", "name"), ordinals),
            ("forwarded exports", ("name", "to"), dynamic.forwarders.items()),
            ("names that the format spells otherwise", ("name", "raw name"), found.raw_names.items()),
            ("options for the linker", ("option",), [(option,) for option in found.linker_options]),
        )
        for title, header, rows in listed:
            if rows:
                shown = islice(rows, self._rows)
                cells = (tuple(escape(text, self._limit) for text in row) for row in shown)
                self._table(title, header, cells, len(rows))

    def _tables(self, found: ObjectFile | Bitcode) -> None:
        for key, symbols in tables(found, self._selection):
            title = key.replace("_", " ")
            if symbols is None:
                stripped = isinstance(found, ObjectFile) and found.kind == "elf"
                self._note(f"no {title}" + ": it is stripped" * stripped)
                continue
            self._symbols(title, [("", symbol) for symbol in symbols])

    def _archive(self, archive: Archive) -> None:
        objects = [(member.name, member.object) for member in archive.members if member.object is not None]
        self._references([found for _, found in objects])
        chosen: list[tuple[str, Symbol]] = []
        rows: list[Row] = []
        for member in archive.members:
            counts = ("", "")
            linkable = member.object or member.bitcode
            if linkable is not None:
                symbols = [one for _, table in tables(linkable, self._selection) for one in table or ()]
                chosen += [(member.name, symbol) for symbol in symbols]
                outside = [one for one in symbols if one.binding is not Binding.LOCAL]
                counts = (str(sum(s.defined for s in outside)), str(sum(not s.defined for s in outside)))
            what = member.error and f"not read: {member.error}"
            embedded = _embedded(member.bitcode, member.metadata) or _imported(member.object)
            kind = (member.unread or member.kind) if not member.error else "not read"
            name = escape(member.name, self._limit)
            rows.append((kind, str(member.size), *counts, member.crate or "—", name, what or embedded))
        if not self._selection.narrow:
            header = ("kind", ">size", ">defines", ">undefined", "crate", "name", "")
            self._table("members", header, rows)
            self._index(archive)
        self._symbols("symbols", chosen)

    def _index(self, archive: Archive) -> None:
        if archive.index is None:
            self._note("no symbol index")
        else:
            rows = [(escape(name, self._limit),) for name in archive.index]
            self._table("symbol index", ("name",), rows if self._everything else rows[:0], len(rows))

    def _symbols(self, title: str, symbols: Sequence[tuple[str, Symbol]]) -> None:
        """A symbol table; each symbol with its member."""
        shown = list(symbols)
        if not self._everything and not self._selection.narrow:
            shown = [one for one in symbols if one[1].binding is not Binding.LOCAL]
            if len(shown) < len(symbols):
                title = f"{title}, {len(symbols) - len(shown)} local ones left out"
            shown.sort(key=lambda one: not one[1].defined)  # defined symbols first
        members = any(member for member, _ in shown)
        header = (
            "binding",
            "visibility",
            "type",
            ">size",
            "section",
            "name",
            *(("member",) * members),
            "demangled",
        )
        rows = (self._symbol(symbol, *((member,) * members)) for member, symbol in shown[: self._rows])
        self._table(title, header, rows, len(shown))

    def _symbol(self, symbol: Symbol, *member: str) -> Row:
        version = symbol.versioned.removeprefix(symbol.name)
        name = escape(symbol.name, self._limit) + escape(version)
        return (
            symbol.binding.name,
            symbol.visibility.name,
            symbol.type.name,
            str(symbol.size),
            escape(place(symbol), self._limit if self._everything else _SECTION_WIDTH),
            name,
            *(escape(one, self._limit) for one in member),
            self._readable(symbol.name),
        )

    def _readable(self, name: str) -> str:
        """The demangled name; empty if that is the name itself."""
        demangled = demangle(name)
        return escape(demangled, self._limit) if demangled != name else ""

    def _references(self, found: Sequence[ObjectFile]) -> None:
        for function, names in {name: r for one in found for name, r in one.references.items()}.items():
            rows = [(escape(name, self._limit), self._readable(name)) for name in names]
            self._table(f"{escape(function)} refers to", ("name", "demangled"), rows)

    @property
    def _rows(self) -> int:
        return _ENDLESS if self._everything else _ROWS

    @property
    def _limit(self) -> int:
        return _ENDLESS if self._everything else 200

    def _fields(self, fields: Iterable[tuple[str, str]]) -> None:
        for label, value in fields:
            self._console.print(Text.assemble((f"  {label:<18}", "dim"), value))

    def _table(self, title: str, header: Row, rows: Iterable[Row], count: int | None = None) -> None:
        """A table; `count`: the number of its rows if fewer are given. A header's `>` aligns right."""
        listed = list(rows)
        total = len(listed) if count is None else count
        shown = listed[: self._rows]
        self._console.print(Text.assemble(("  " + title, "bold"), f" ({total})"))
        if shown:
            self._console.print(Text("    " + _line(header, _widths(header, shown)), "dim"))
        for line in _aligned(header, shown):
            # Without rich, which takes a second for some thousand lines.
            self._out.write(f"    {line}\n")
        if len(shown) < total:
            self._note(f"  … {total - len(shown)} more: --all shows them")

    def _note(self, text: str) -> None:
        self._console.print(Text(f"  {text}", "dim"))


def _headline(facts: Facts) -> str:
    size = f"{facts.size} bytes"
    if facts.object is not None:
        kind = facts.object.type.value
        format_, machine = facts.object.format, facts.object.machine
        named = format_ if machine in format_ else f"{format_} {machine}"
        return f"{_TYPES.get(kind, kind)}, {named}, {size}"
    if facts.archive is not None:
        archive = facts.archive
        thin = "thin " * archive.thin
        return f"{thin}archive ({archive.flavour}) of {len(archive.members)} members, {size}"
    if facts.kind in ("bitcode", "metadata"):
        return f"{_embedded(facts.bitcode, facts.metadata)}, {size}"
    return f"{facts.kind}, {size}"


def _fields(found: ObjectFile) -> Iterator[tuple[str, str]]:
    if found.dynamic is not None:
        yield from _dynamic_fields(found, found.dynamic)
    if found.name_prefix:
        yield "before names", f"{escape(found.name_prefix)} (left out here)"
    yield from _properties(found)
    if found.bitcode is not None:
        yield "bitcode", _embedded(found.bitcode, None)
    if found.metadata is not None:
        yield "metadata", _embedded(None, found.metadata)


def _dynamic_fields(found: ObjectFile, dynamic: Dynamic) -> Iterator[tuple[str, str]]:
    yield "needed", _listed(dynamic.needed)
    if dynamic.optional:
        yield "needed later", _listed(dynamic.optional)
    for key, names in (
        ("soname", [dynamic.soname] if dynamic.soname else []),
        ("runpath", dynamic.runpath),
        ("interpreter", [found.interpreter] if found.interpreter else []),
    ):
        if names or no_counterpart(key, found.kind) is None:
            yield key, _listed(names)
    if dynamic.rpath:
        yield "rpath", _listed(dynamic.rpath)
    flags = {
        "pie": found.pie,
        "bind-now": dynamic.bind_now,
        "text-relocations": dynamic.text_relocations,
        "relro": found.relro.value,
    }
    hardening = [
        f"{key} {value if isinstance(value, str) else 'yes' if value else 'no'}"
        for key, value in flags.items()
        if no_counterpart(key, found.kind) is None
    ]
    if hardening:
        yield "hardening", ", ".join(hardening)
    for label, versions in (
        ("versions needed", dynamic.versions_needed),
        ("versions defined", dynamic.versions_defined),
    ):
        if versions:
            yield label, _listed(versions)


def _properties(found: ObjectFile) -> Iterator[tuple[str, str]]:
    if found.executable_stack is not None:
        yield "executable stack", "yes" if found.executable_stack else "no"
    if found.properties:
        yield "GNU properties" if found.kind == "elf" else "features", _listed(found.properties)
    if found.build_id is not None:
        yield "build id", found.build_id
    if found.debug_file is not None:
        yield "debug file", escape(found.debug_file)
    if found.init_array or found.fini_array:
        yield "init, fini array", f"{found.init_array}, {found.fini_array} functions"
    if found.tls:
        yield "thread-local", "yes"


def _embedded(bitcode: Bitcode | None, metadata: Metadata | None) -> str:
    parts = []
    if bitcode is not None:
        producer = escape(bitcode.producer) if bitcode.producer else "an unknown producer"
        parts.append(f"bitcode ({bitcode.form}, {bitcode.size} bytes) by {producer}")
    if metadata is not None:
        rustc = escape(metadata.rustc) if metadata.rustc else "an unknown rustc"
        parts.append(f"rustc metadata version {metadata.version} by {rustc}")
    return "; ".join(parts)


def _imported(found: ObjectFile | None) -> str:
    """What an import library's member imports."""
    if found is None or found.dynamic is None:
        return ""
    known_as = "".join(f" as {escape(name)}" for name in found.dynamic.ordinals)
    imports = found.dynamic.imports.items()
    return "; ".join(
        f"imports {_listed(names)} from {escape(library)}{known_as}" for library, names in imports
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(escape(name) for name in names) or "none"


def _widths(header: Row, rows: Sequence[Row]) -> list[int]:
    return [
        min(_COLUMN, max(len(title.removeprefix(">")), *(len(row[index]) for row in rows)))
        for index, title in enumerate(header)
    ]


def _aligned(header: Row, rows: Sequence[Row]) -> Iterator[str]:
    widths = _widths(header, rows) if rows else []
    right = [title.startswith(">") for title in header]
    return (_line(row, widths, right) for row in rows)


def _line(row: Row, widths: Sequence[int], right: Sequence[bool] = ()) -> str:
    sides = right or [title.startswith(">") for title in row]
    cells = (
        text.removeprefix(">").rjust(width) if side else text.ljust(width)
        for text, width, side in zip(row, widths, sides, strict=True)
    )
    return "  ".join(cells).rstrip()
