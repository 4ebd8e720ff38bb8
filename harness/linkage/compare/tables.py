"""What differs between two tables of names, and between two lists. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from linkage.compare.model import Change, Table
from linkage.compare.names import crate, is_anonymous, is_runtime, skeleton, without_self

BECOMES = " → "
ALL = "::(all)"
"""After a crate's name: the table has only the number of its names and a digest."""
_COUNT = re.compile(r"\d+")


def by_skeleton(table: Table) -> Table:
    """A table by names that both mangling schemes can express, each value once."""
    found: dict[str, set[str]] = {}
    for name, values in table.items():
        found.setdefault(skeleton(name), set()).update(values)
    return {name: tuple(sorted(values)) for name, values in found.items()}


def differences(kind: str, base: Table, head: Table) -> Iterator[Change]:
    """Names that only one side has, and names with different values."""
    for name in sorted(base.keys() | head.keys()):
        old, new = base.get(name, ()), head.get(name, ())
        if old == new:
            continue
        gone, more = Counter(old) - Counter(new), Counter(new) - Counter(old)
        if not more:
            yield Change(f"{kind} gone", name, base=_counted(old), head=_counted(new))
        elif not gone:
            yield Change(f"{kind} new", name, base=_counted(old), head=_counted(new))
        else:
            yield Change(f"{kind} changed", name, transition(gone, more), _counted(old), _counted(new))


def without_schemes(changes: Sequence[Change], base: Table, head: Table) -> Iterator[Change]:
    """The changes, except for names that the other scheme spells differently: `<Foo as Trait>::f` in v0
    can be `Trait::f`, or `<T as Trait>::f`, in a legacy name.
    """
    gone = {without_self(one.name) for one in changes if one.kind.endswith(" gone")}
    new = {without_self(one.name) for one in changes if one.kind.endswith(" new")}
    for change in changes:
        kind, plain = change.kind.rpartition(" ")[2], without_self(change.name)
        other, table = (new, head) if kind == "gone" else (gone, base)
        if kind == "changed" or not (plain in other or plain in table):
            yield change


def transition(gone: Iterable[str], more: Iterable[str]) -> str:
    """How the values of a name changed: only the words that differ."""
    olds, news = sorted(set(gone)), sorted(set(more))
    if len(olds) == len(news) == 1:
        old, new = olds[0].split(), news[0].split()
        if len(old) == len(new):
            pairs = [(one, other) for one, other in zip(old, new, strict=True) if one != other]
            olds, news = [" ".join(one for one, _ in pairs)], [" ".join(other for _, other in pairs)]
    return f"{', '.join(olds)} → {', '.join(news)}"


def _counted(values: Sequence[str]) -> str:
    counts = Counter(values)
    return ", ".join(
        f"{value} ({count} of them)" if count > 1 else value for value, count in sorted(counts.items())
    )


def in_sum(kind: str, changes: Iterable[Change], base: Table, head: Table) -> Iterator[Change]:
    """The changes, those in the toolchain's own libraries as one change per crate."""
    runtime: dict[str, list[Change]] = {}
    for change in changes:
        if is_runtime(change.name):
            runtime.setdefault(crate(change.name) or "", []).append(change)
        else:
            yield change
    counts = [_by_crate(table) for table in (base, head)] if runtime else []
    for name, found in sorted(runtime.items()):
        yield Change(
            f"runtime {kind}",
            name,
            base=f"{counts[0][name]} {kind}",
            head=f"{counts[1][name]} {kind}",
            details=tuple(_line(change) for change in found),
        )


def _by_crate(table: Table) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, values in table.items():
        if name.endswith(ALL):  # summed up in a snapshot
            found[crate(name) or ""] += sum(
                int(count[0]) for value in values if (count := _COUNT.match(value))
            )
        elif "::" in name:
            found[crate(name) or ""] += len(values)
    return found


def _line(change: Change) -> str:
    sign = {"gone": "-", "new": "+"}.get(change.kind.rpartition(" ")[2], "~")
    return f"{sign} {change.name}" + (f": {change.what}" if change.what else "")


def anonymous(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, those of nameless symbols as a change of their number."""
    for change in changes:
        if is_anonymous(change.name):
            yield Change("anonymous symbols", change.name, base=change.base, head=change.head)
        else:
            yield change


def renamed(changes: Sequence[Change], sizes: Sequence[Mapping[str, int]]) -> Iterator[Change]:
    """The changes, a name that went and one that came for the same thing as one: they are matched by
    what they are, by their crate and their size; where one went and one came, by what they are alone.
    """
    gone = [one for one in changes if one.kind.endswith(" gone") and not one.head]
    new = [one for one in changes if one.kind.endswith(" new") and not one.base]
    pairs: dict[Change, Change] = {}
    alone = len(gone) == len(new) == 1
    for exact in (True, False) if alone else (True,):
        olds: dict[tuple[str, int], list[Change]] = {}
        news: dict[tuple[str, int], list[Change]] = {}
        for one in gone:
            if one not in pairs:
                olds.setdefault((one.base, sizes[0].get(one.name, 0) if exact else 0), []).append(one)
        taken = set(pairs.values())
        for one in new:
            if one not in taken:
                news.setdefault((one.head, sizes[1].get(one.name, 0) if exact else 0), []).append(one)
        pairs |= {
            found[0]: news[key][0]
            for key, found in olds.items()
            if len(found) == len(news.get(key, ())) == 1
            # Two C symbols may have the same size by chance.
            and (alone or crate(found[0].name) is not None)
            and crate(found[0].name) == crate(news[key][0].name)
        }
    matched = set(pairs) | set(pairs.values())
    yield from (one for one in changes if one not in matched)
    for old, other in pairs.items():
        kind = old.kind.removesuffix("gone") + "renamed"
        yield Change(kind, f"{old.name}{BECOMES}{other.name}", base=old.base, head=other.head)


def moved(order: Sequence[int]) -> list[int]:
    """The smallest set of elements whose removal leaves the others in order."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = [-1] * len(order)
    for at, value in enumerate(order):
        length = bisect_left(tails, value)
        tails[length:] = [value] if length == len(tails) else [value, *tails[length + 1 :]]
        places[length : length + 1] = [at]
        before[at] = places[length - 1] if length else -1
    kept: set[int] = set()
    at = places[-1] if places else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return [at for at in range(len(order)) if at not in kept]


def lists(kind: str, base: Sequence[str], head: Sequence[str]) -> Iterator[Change]:
    """What a list lost and gained; if nothing, whether its order changed."""
    gone, new = Counter(base) - Counter(head), Counter(head) - Counter(base)
    shown = ", ".join(base), ", ".join(head)
    for name in sorted(gone):
        yield Change(f"{kind} gone", name, "", *shown)
    for name in sorted(new):
        yield Change(f"{kind} new", name, "", *shown)
    common = [[one for one in each if one not in gone and one not in new] for each in (base, head)]
    if common[0] != common[1]:
        yield Change(f"{kind} order", "", "", *shown)
