"""Claims that compare two artifacts, of two steps or of two variants. Pure."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from linkage.artifact.facts import Facts
from linkage.case.claims import ArtifactClaims, ArtifactReference, ExportsDiffer
from linkage.host.terminal import escape
from linkage.judge.failed_claim import FailedClaim, braced, fitting
from linkage.judge.name_set import Mismatch, listing, unjudged, until_unmatchable
from linkage.judge.pattern import compile_patterns
from linkage.judge.verdict import OtherVariant
from linkage.judge.view import Table, View, describe, described, is_foreign
from linkage.toolchain.version import RustcVersion


@dataclass(frozen=True, slots=True)
class OtherArtifact:
    """The artifact that a reference names, and the variant that it is from if it is another."""

    facts: Facts
    path: str
    variant: OtherVariant | None = None

    @property
    def typed(self) -> str:
        """Its path as it is typed in a shell."""
        path = shlex.quote(escape(self.path))
        return f'"${self.variant.variable}"/{path}' if self.variant is not None else path


Look = Callable[[ArtifactReference], OtherArtifact | str]
"""The artifact that a reference names, or why there is none."""


def check_comparisons(
    claims: ArtifactClaims, facts: Facts, other: Look, version: RustcVersion
) -> Iterator[FailedClaim]:
    """The comparisons that do not hold."""
    for reference in claims.same_as:
        yield from _with(reference, other, partial(_same, reference, facts), "same-as")
    for reference in claims.differs_from:
        yield from _with(reference, other, partial(_different, reference, facts), "differs-from")
    if claims.smaller_than is not None:
        yield from _with(claims.smaller_than, other, lambda found: _smaller(facts, found), "smaller-than")
    if claims.exports_differ is not None:
        claim = claims.exports_differ
        yield from _with(claim, other, lambda found: _exports(claim, facts, found, version), "exports-differ")


def _with(
    reference: ArtifactReference, other: Look, judge: Callable[[Facts], Iterator[Mismatch]], key: str
) -> Iterator[FailedClaim]:
    found = other(reference)
    if isinstance(found, str):
        yield FailedClaim(key, unjudged(f"no artifact to compare with: {found}"), "")
        return
    look = _LOOK.get(key, _LOOK[reference.compare]).replace("{other}", braced(found.typed))
    look = fitting(look, View(found.facts))
    for miss in judge(found.facts):
        yield FailedClaim(key, miss, look, other=found.variant)


_LOOK = {
    "bytes": "sha256sum {file} {other}", "text": "diff {other} {file}",
    "symbols": "readelf -sW {file} {other}", "exports": "readelf --dyn-syms -W {file} {other}",
    "size": "ls -l {file} {other}", "smaller-than": "ls -l {file} {other}",
    "exports-differ": "readelf --dyn-syms -W {file} {other}",
}  # fmt: skip
"""The commands that show a comparison, by what is compared or by the claim."""


def describe_reference(reference: ArtifactReference) -> str:
    """The other artifact in words."""
    name = reference.artifact or "the same artifact"
    cell = ", ".join(f"{axis} {value}" for axis, value in reference.variant.items())
    return f"{name} of the variant with {cell}" if cell else name


def _same(reference: ArtifactReference, one: Facts, other: Facts) -> Iterator[Mismatch]:
    claimed = f"the same {reference.compare} as {describe_reference(reference)}"
    nothing = _incomparable(reference.compare, one, other)
    if nothing is not None:
        yield unjudged(nothing)
        return
    match reference.compare:
        case "bytes":
            if one.digest != other.digest:
                yield Mismatch(
                    "",
                    claimed,
                    f"{one.size} bytes ({one.digest}) against {other.size} bytes ({other.digest})",
                )
        case "size":
            if one.size != other.size:
                yield Mismatch("", claimed, f"{one.size} bytes against {other.size} bytes")
        case "text":
            if _text(one) != _text(other):
                yield Mismatch("", claimed, "a different text")
        case what:
            yield from _same_symbols(claimed, _table(one, what), _table(other, what))


def _same_symbols(claimed: str, one: Mapping[str, int], other: Mapping[str, int]) -> Iterator[Mismatch]:
    more, fewer = Counter(one) - Counter(other), Counter(other) - Counter(one)
    if more or fewer:
        yield Mismatch("", claimed, _added_and_removed(sorted(more), sorted(fewer)))


def _added_and_removed(more: Sequence[str], fewer: Sequence[str]) -> str:
    parts = (("more", more), ("fewer", fewer))
    return "; ".join(f"{word}: {listing(names)}" for word, names in parts if names)


def _incomparable(what: str, one: Facts, other: Facts) -> str | None:
    """Why there is nothing to compare: what one side lacks is neither the same nor different."""
    if what in ("bytes", "size"):
        return None
    if what == "text":
        texts = _text(one) and _text(other)
        return None if texts else f"not two text files, but {described(one)} and {described(other)}"
    table = Table.DYNAMIC_SYMBOLS if what == "exports" else Table.SYMBOLS
    for facts in (one, other):
        why = View(facts).unseen(table)
        if why is not None:
            return why if facts is one else f"the other artifact: {why}"
    return None if _table(one, what) and _table(other, what) else f"no {what} to compare"


def _text(facts: Facts) -> str | None:
    return facts.other.text if facts.other is not None and not is_foreign(facts) else None


def _table(facts: Facts, what: str) -> dict[str, int]:
    view = View(facts)
    if what == "exports":
        return dict(Counter(view.select(lambda symbol: symbol.defined, dynamic=True)))
    return dict(Counter(f"{symbol.name} {describe(symbol)}" for symbol in view.symbols or ()))


def _different(reference: ArtifactReference, one: Facts, other: Facts) -> Iterator[Mismatch]:
    claimed = f"not the same {reference.compare} as {describe_reference(reference)}"
    nothing = _incomparable(reference.compare, one, other)
    if nothing is not None:
        yield unjudged(nothing)
    elif not list(_same(reference, one, other)):
        yield Mismatch("", claimed, f"the same, {one.size} bytes")


def _smaller(one: Facts, other: Facts) -> Iterator[Mismatch]:
    if one.size >= other.size:
        yield Mismatch("", f"smaller than {other.size} bytes", f"{one.size} bytes")


@until_unmatchable
def _exports(claim: ExportsDiffer, one: Facts, other: Facts, version: RustcVersion) -> Iterator[Mismatch]:
    nothing = _incomparable("exports", one, other)
    if nothing is not None:
        yield unjudged(nothing)
        return
    here, there = _table(one, "exports"), _table(other, "exports")
    for part, claimed, found in (
        ("added", claim.added, sorted(set(here) - set(there))),
        ("removed", claim.removed, sorted(set(there) - set(here))),
    ):
        patterns = compile_patterns(claimed, version)
        extra = [name for name in found if not any(pattern.matches(name) for pattern in patterns)]
        missing = [pattern.text for pattern in patterns if not any(pattern.matches(name) for name in found)]
        if extra or missing:
            yield Mismatch(
                part,
                f"{part} exports: {', '.join(claimed) or 'none'}",
                f"{part} exports: {listing(found) if found else 'none'}",
            )
