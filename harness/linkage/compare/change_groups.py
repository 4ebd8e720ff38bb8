"""Changes by their kind, not by variant: what a report tells. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from linkage.compare.change_kinds import KINDS, ORDER
from linkage.compare.model import LocatedChange
from linkage.judge.name_set import plural

_NAMES = 4


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """The same change, or several that always come together, in all outputs that have them."""

    kind: str
    what: str
    found: tuple[tuple[LocatedChange, ...], ...]
    """By name; for each the places, in the variants' order."""
    expected: str = ""
    """Why it is meant, where somebody said so."""

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
        """In how many outputs of each kind it was found; `step`: in how many steps' own ends."""
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
    """Groups of differences with the reasons for which they are meant, in the order of the kinds, the
    largest of a kind first.
    """
    same: dict[tuple[str, str, str, str], list[LocatedChange]] = {}
    for one, reason in found:
        change = one.change
        same.setdefault((change.kind, change.what, reason, change.name), []).append(one)
    together: dict[tuple[str, str, str, object], list[tuple[LocatedChange, ...]]] = {}
    for (kind, what, reason, _), places in same.items():
        # What is told in sum is told once, of however many crates.
        where = frozenset((one.variant, one.step, one.subject) for one in places)
        key = None if kind.startswith("runtime") else where
        together.setdefault((kind, what, reason, key), []).append(tuple(places))
    groups = [
        ChangeGroup(kind, what, tuple(sorted(names, key=lambda places: places[0].change.name)), reason)
        for (kind, what, reason, _), names in together.items()
    ]
    return sorted(groups, key=lambda one: (ORDER[one.kind], -len(one.places), one.names))
