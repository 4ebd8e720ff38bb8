"""Claims about one artifact, judged on its facts. Pure."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from linkage.artifact.facts import ArchiveMember, Facts
from linkage.case.claims import ArtifactClaims, Names, Text
from linkage.errors import PatternError
from linkage.host.terminal import escape
from linkage.judge.aspects import ASPECTS, Aspect
from linkage.judge.failed_claim import MEMBERS, FailedClaim, braced, fitting
from linkage.judge.formats import missing_in
from linkage.judge.name_set import (
    Mismatch,
    asks_for_nothing,
    asks_for_something,
    check_names,
    none_of,
    unjudged,
)
from linkage.judge.pattern import compile_patterns
from linkage.judge.properties import check_arrays, check_flags, check_kind
from linkage.judge.section import check_section
from linkage.judge.symbols import check_symbols
from linkage.judge.text import check_text
from linkage.judge.view import Table, View, described, facts_of, is_foreign
from linkage.toolchain.version import RustcVersion


def check_artifact(
    claims: ArtifactClaims, view: View, version: RustcVersion, files: Mapping[str, str]
) -> Iterator[FailedClaim]:
    """The claims that do not hold, in the order of the table; comparisons are in `comparison`.

    `files` are the expected texts beside the case.
    """
    for failed in _failed(claims, view, version, files):
        yield replace(failed, look=fitting(failed.look, view))


def _failed(
    claims: ArtifactClaims, view: View, version: RustcVersion, files: Mapping[str, str]
) -> Iterator[FailedClaim]:
    yield from check_kind(claims, view)
    yield from _names(claims, view, version)
    yield from check_symbols(claims, view, version)
    yield from check_flags(claims, view)
    yield from check_arrays(claims, view)
    for name, section in claims.section.items():
        yield from check_section(name, section, view)
    if claims.text is not None:
        yield from _text(claims.text, view.facts, files)
    for pattern, inner in claims.each_member.items():
        yield from _each_member(pattern, inner, view, version, files)


def _names(claims: ArtifactClaims, view: View, version: RustcVersion) -> Iterator[FailedClaim]:
    for aspect in ASPECTS:
        claim = _claim(claims, aspect.key)
        if claim is not None and claim.about_names:
            for miss in _aspect(aspect, claim, view, version):
                yield FailedClaim(aspect.key, miss, aspect.look)


def _claim(claims: ArtifactClaims, key: str) -> Names | None:
    """The claim of a key: `needed`, or the part `needed.optional` of it."""
    field, _, part = key.partition(".")
    claim: Names | None = getattr(claims, {"global": "global_"}.get(field, field.replace("-", "_")))
    return getattr(claim, part, None) if part else claim


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


def _text(claim: Text, facts: Facts, files: Mapping[str, str]) -> Iterator[FailedClaim]:
    text = None if facts.other is None or is_foreign(facts) else facts.other.text
    if facts.kind != "empty" and text is None:
        unknown = facts.other is not None and facts.other.format is None
        found = "is not UTF-8 or larger than 1 MiB" if unknown else f"is {described(facts)}"
        yield FailedClaim("text", unjudged(f"no text to judge: the file {found}"), "file {file}")
        return
    for miss in check_text(claim, text or "", files):
        yield FailedClaim("text", miss, "cat {file}")


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
        yield FailedClaim(f"each-member.{pattern}", unjudged(str(error)), MEMBERS)
        return
    if not chosen:
        what = "no member with symbols" if with_symbols else "no member"
        found_members = none_of([member.name for member in members])
        why = view.unseen(Table.MEMBERS) or f"{what} matches {pattern}: {found_members}"
        yield FailedClaim(f"each-member.{pattern}", unjudged(why), MEMBERS)
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
