"""Claims about symbols, judged on what selects them: a kind, a version or a function that refers to them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from linkage.case.claims import ArtifactClaims, Names, SymbolKind, Symbols
from linkage.judge.failed_claim import DYNAMIC_SYMBOLS, SYMBOLS, FailedClaim
from linkage.judge.name_set import (
    Mismatch,
    asks_for_nothing,
    asks_for_something,
    check_names,
    compare,
    counted,
    listing,
    readable,
    unjudged,
    until_unmatchable,
)
from linkage.judge.pattern import compile_patterns
from linkage.judge.rows import SymbolRow
from linkage.judge.view import Table, View, describe, described
from linkage.toolchain.version import RustcVersion


def check_symbols(claims: ArtifactClaims, view: View, version: RustcVersion) -> Iterator[FailedClaim]:
    """The claims about symbols, but for those about all names of a table, that do not hold."""
    if claims.symbol_versions is not None:
        for pattern, carriers in claims.symbol_versions.symbols.items():
            for miss in _carriers(pattern, carriers, view, version):
                yield FailedClaim(f"symbol-versions.symbols.{pattern}", miss, DYNAMIC_SYMBOLS)
    for index, general in enumerate(claims.symbols):
        for miss in _general(general, view, version):
            yield FailedClaim(
                f"symbols[{index}]", miss, DYNAMIC_SYMBOLS if general.table == "dynamic" else SYMBOLS
            )
    for function, wanted in claims.references.items():
        yield from _references(function, wanted, view, version)


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


def _nameless(function: str, view: View) -> str | None:
    """Why it is not known what a function refers to in a linked file whose symbol table was removed."""
    stripped = view.facts.object is not None and view.facts.object.symbols is None
    if not stripped or not any(row.defined and row.name == function for row in view.dynamic or ()):
        return None
    file = described(view.facts)
    return f"{file} without a symbol table: not everything that {function} refers to has a name"


def _references(function: str, claim: Names, view: View, version: RustcVersion) -> Iterator[FailedClaim]:
    look = f"objdump -dr --disassemble={function} {{file}}"
    why = view.unseen(Table.CODE)
    if why is not None or function not in view.references:
        found = why or _nameless(function, view) or f"no function {function} with readable code"
        near = tuple(state for state in view.states(function))
        miss = replace(unjudged(found), nearest=near)
        yield FailedClaim(f"references.{function}", miss, look)
        return
    for miss in check_names(claim, view.references[function], version):
        yield FailedClaim(f"references.{function}", miss, look)
