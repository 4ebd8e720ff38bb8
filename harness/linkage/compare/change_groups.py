"""Changes by kind instead of by variant, for a report. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from linkage.compare.change_kinds import KINDS, ORDER
from linkage.compare.model import LocatedChange
from linkage.judge.name_set import plural

_NAMES = 4


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """A change, or several that always occur together, in all outputs that have it."""

    kind: str
    what: str
    found: tuple[tuple[LocatedChange, ...], ...]
    """For each name the places, in the variants' order."""
    expected: str = ""
    """Why it is expected; empty if it is not."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(places[0].change.name for places in self.found)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.variant for places in self.found for one in places))

    @property
    def cases(self) -> Counter[str]:
        """How many variants of each case it was found in."""
        return Counter(variant.partition("[")[0] for variant in self.variants)

    @property
    def places(self) -> frozenset[tuple[str, str, str, str]]:
        """Where it was found: variant, step, subject, and what kind of output that is."""
        return frozenset(
            (one.variant, one.step, one.subject, one.artifact) for places in self.found for one in places
        )

    @property
    def artifacts(self) -> Counter[str]:
        """In how many outputs of each kind it was found; `step` counts the steps themselves."""
        return Counter(sorted(artifact for *_, artifact in self.places))

    def headline(self, limit: int = _NAMES) -> str:
        """The group in one line."""
        if self.kind in ("output gone", "output new"):
            subjects = plural(len(self.places), "step")
        else:
            subjects = ", ".join(plural(count, noun) for noun, count in self.artifacts.most_common())
        names = [name for name in self.names if name]
        shown = ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
        text = KINDS[self.kind].format(subjects=subjects, names=shown).removesuffix(": ")
        return f"{text}: {self.what}" if self.what else text


def grouped(found: Iterable[tuple[LocatedChange, str]]) -> list[ChangeGroup]:
    """Changes, with the reason if expected, as groups: by kind, the largest first."""
    same: dict[tuple[str, str, str, str], list[LocatedChange]] = {}
    for one, reason in found:
        change = one.change
        same.setdefault((change.kind, change.what, reason, change.name), []).append(one)
    together: dict[tuple[str, str, str, object], list[tuple[LocatedChange, ...]]] = {}
    for (kind, what, reason, _), places in same.items():
        # Sums of several crates are one group.
        where = frozenset((one.variant, one.step, one.subject) for one in places)
        key = None if kind.startswith("runtime") else where
        together.setdefault((kind, what, reason, key), []).append(tuple(places))
    groups = [
        ChangeGroup(kind, what, tuple(sorted(names, key=lambda places: places[0].change.name)), reason)
        for (kind, what, reason, _), names in together.items()
    ]
    return sorted(groups, key=lambda one: (ORDER[one.kind], -len(one.places), one.names))
