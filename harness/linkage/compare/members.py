"""How the members of two archives match, and what changed in them. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from linkage.compare.model import Change, ComparedMember
from linkage.compare.names import RUNTIME
from linkage.compare.tables import moved

_SHOWN = 12
_TRIED = 4_000
"""How many pairs of members of one name are scored; more are matched in order."""


@dataclass(frozen=True, slots=True)
class MemberMatch:
    """Pairs of members by index, and the indexes of members without a partner."""

    pairs: tuple[tuple[int, int], ...]
    gone: tuple[int, ...]
    new: tuple[int, ...]


def match(base: Sequence[ComparedMember], head: Sequence[ComparedMember]) -> MemberMatch:
    """Pair members of the same name by their symbols, the most similar first."""
    if [one.name for one in base] == [one.name for one in head] and base == head:
        return MemberMatch(tuple((at, at) for at in range(len(base))), (), ())
    pairs: list[tuple[int, int]] = []
    left, right = _by_name(base), _by_name(head)
    for name in left.keys() & right.keys():
        pairs += _pair(left[name], right[name], base, head)
    olds, news = {one for one, _ in pairs}, {other for _, other in pairs}
    return MemberMatch(
        tuple(sorted(pairs)),
        tuple(at for at in range(len(base)) if at not in olds),
        tuple(at for at in range(len(head)) if at not in news),
    )


def _by_name(members: Sequence[ComparedMember]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, member in enumerate(members):
        found.setdefault(member.name, []).append(at)
    return found


def _pair(
    left: list[int], right: list[int], base: Sequence[ComparedMember], head: Sequence[ComparedMember]
) -> Iterator[tuple[int, int]]:
    open_: dict[tuple[object, ...], list[int]] = {}
    for at in right:
        open_.setdefault(_same(head[at]), []).append(at)
    rest: list[int] = []
    for at in left:
        candidates = open_.get(_same(base[at]))
        if candidates:
            yield at, candidates.pop(0)
        else:
            rest.append(at)
    others = sorted(at for places in open_.values() for at in places)
    if len(rest) * len(others) > _TRIED:
        yield from zip(rest, others, strict=False)
        return
    scored = sorted(
        ((-_likeness(base[one], head[other]), one, other) for one in rest for other in others),
    )
    taken: set[int] = set()
    given: set[int] = set()
    for _, one, other in scored:
        if one not in taken and other not in given:
            taken.add(one)
            given.add(other)
            yield one, other


def _same(member: ComparedMember) -> tuple[object, ...]:
    return member.kind, member.symbols


def _likeness(one: ComparedMember, other: ComparedMember) -> float:
    union = len(one.symbols | other.symbols)
    return len(one.symbols & other.symbols) / union if union else 1.0


def changes(
    base: Sequence[ComparedMember], head: Sequence[ComparedMember], matched: MemberMatch
) -> Iterator[Change]:
    """Members that only one side has, that are of another kind, or in a different order."""
    if not (matched.gone or matched.new) and base == head:
        return
    runtime: Counter[str] = Counter()
    details: dict[str, list[str]] = {}
    for kind, places, members in (("gone", matched.gone, base), ("new", matched.new, head)):
        for at in places:
            member = members[at]
            if member.crate in RUNTIME:
                runtime[member.crate or ""] += 1
                details.setdefault(member.crate or "", []).append(
                    f"{'-' if kind == 'gone' else '+'} {member.name}"
                )
                continue
            description = _described(member)
            yield Change(
                f"member {kind}",
                member.name,
                base=description if kind == "gone" else "",
                head=description if kind == "new" else "",
            )
    for one, other in matched.pairs:
        if base[one].kind != head[other].kind:
            what = f"{base[one].kind} → {head[other].kind}"
            yield Change("member changed", base[one].name, what, base[one].kind, head[other].kind)
    for name in sorted(runtime):
        counts = [sum(one.crate == name for one in members) for members in (base, head)]
        yield Change(
            "runtime members",
            name,
            base=f"{counts[0]} members",
            head=f"{counts[1]} members",
            details=tuple(details[name]),
        )
    yield from _order(base, head, matched)


def _described(member: ComparedMember) -> str:
    names = sorted(member.symbols)
    held = f", with {', '.join(names[:_SHOWN])}" if names else ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    size = f", {member.size} bytes" if member.size else ""  # a snapshot has no sizes
    return f"{member.kind}{size}{held}{more}"


def _order(
    base: Sequence[ComparedMember], head: Sequence[ComparedMember], matched: MemberMatch
) -> Iterator[Change]:
    pairs = _in_turn(base, matched)
    places = [other for _, other in pairs]
    if places == sorted(places):
        return
    own = [pair for pair in pairs if base[pair[0]].crate not in RUNTIME]
    chosen = own if [o for _, o in own] != sorted(o for _, o in own) else pairs
    out = moved([other for _, other in chosen])
    name = ""
    if chosen is not own:
        name = "those of the toolchain's own libraries"
    shown = [chosen[at] for at in out[:_SHOWN]]
    yield Change(
        "member order",
        name,
        base="; ".join(f"{one + 1}. {base[one].name}" for one, _ in shown),
        head="; ".join(f"{other + 1}. {head[other].name}" for _, other in shown),
    )


def _in_turn(base: Sequence[ComparedMember], matched: MemberMatch) -> list[tuple[int, int]]:
    """The pairs, those of one name in the order of both sides: without their hashes, by which rustc orders
    them, a crate's units have the same name.
    """
    olds: dict[str, list[int]] = {}
    news: dict[str, list[int]] = {}
    for one, other in matched.pairs:
        olds.setdefault(base[one].name, []).append(one)
        news.setdefault(base[one].name, []).append(other)
    return sorted(pair for name in olds for pair in zip(sorted(olds[name]), sorted(news[name]), strict=True))
