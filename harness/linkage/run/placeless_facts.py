"""Facts as claims see them, who do not know the working folder's name: it reads `$WORK`. Pure.

A claim cannot ask for the folder in the name of a symbol (`linkage.case.check.working_folder`): symbol tables
stay as they are.
"""

from dataclasses import replace

from linkage.artifact.facts import Archive, ArchiveMember, Dynamic, Facts, Members, ObjectFile
from linkage.plan.template import placeless


def placeless_facts(facts: Facts, work: str, *, contents: bool) -> Facts:
    """Facts with `$WORK` for the working folder `work`, wherever a claim may ask for it.

    `contents`: the content of sections was asked for. Without it a plain archive's members stay packed.
    """
    if facts.other is not None and facts.other.text is not None:
        return replace(facts, other=replace(facts.other, text=placeless(facts.other.text, work)))
    if facts.object is not None:
        return replace(facts, object=_object(facts.object, work))
    if facts.archive is not None and (facts.archive.thin or contents):
        return replace(facts, archive=_archive(facts.archive, work))
    return facts


def _object(found: ObjectFile, work: str) -> ObjectFile:
    dynamic, interpreter = found.dynamic, found.interpreter
    return replace(
        found,
        dynamic=None if dynamic is None else _dynamic(dynamic, work),
        interpreter=None if interpreter is None else placeless(interpreter, work),
        contents={name: _bytes(content, work) for name, content in found.contents.items()},
    )


def _dynamic(found: Dynamic, work: str) -> Dynamic:
    def each(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(placeless(name, work) for name in names)

    return replace(
        found,
        needed=each(found.needed),
        soname=None if found.soname is None else placeless(found.soname, work),
        runpath=each(found.runpath),
        rpath=each(found.rpath),
    )


def _archive(found: Archive, work: str) -> Archive:
    """Members have the folder in their names if the archive is thin, else in the contents asked for."""
    changed = [_member(member, work) for member in found.members]
    same = all(one is other for one, other in zip(changed, found.members, strict=True))
    return found if same else replace(found, members=Members.of(changed))


def _member(member: ArchiveMember, work: str) -> ArchiveMember:
    name = placeless(member.name, work)
    if member.object is not None and member.object.contents:
        return replace(member, name=name, object=_object(member.object, work))
    return member if name == member.name else replace(member, name=name)


def _bytes(content: bytes, work: str) -> bytes:
    # Every byte is a character of Latin-1; the folder's name is UTF-8 in both.
    return placeless(content.decode("latin-1"), work.encode().decode("latin-1")).encode("latin-1")
