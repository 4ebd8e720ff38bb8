"""Claims about one section of an artifact."""

from collections.abc import Iterator

from linkage.artifact.facts import ObjectType
from linkage.case.claims import SectionClaim
from linkage.judge.failed_claim import SECTIONS, FailedClaim
from linkage.judge.name_set import Mismatch, compare, missing_from, unjudged
from linkage.judge.view import Table, View


def check_section(name: str, claim: SectionClaim, view: View) -> Iterator[FailedClaim]:
    """What does not hold of the sections of this name."""
    found = view.sections(name)
    key = f"section.{name}"
    why = view.unseen(Table.SECTIONS)
    if why is not None:
        yield FailedClaim(key, unjudged(why), SECTIONS)
        return
    if not found:
        yield FailedClaim(key, Mismatch("", f"section {name}", missing_from(view.section_names)), SECTIONS)
        return
    for section in found:
        if claim.size is not None and not compare(claim.size, section.size):
            yield FailedClaim(key, Mismatch("size", f"size {claim.size}", f"{section.size} bytes"), SECTIONS)
        if claim.compressed is not None and claim.compressed != section.compressed:
            yield FailedClaim(
                key,
                Mismatch("compressed", str(claim.compressed).lower(), str(section.compressed).lower()),
                SECTIONS,
            )
        if claim.flags is not None and claim.flags != section.flags:
            yield FailedClaim(key, Mismatch("flags", claim.flags, section.flags), SECTIONS)
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
        yield FailedClaim(key, miss, SECTIONS)
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
