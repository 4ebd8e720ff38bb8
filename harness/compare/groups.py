"""Changes by their kind, not by variant: what a report tells. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.compare.kinds import KINDS, ORDER
from harness.compare.model import Found

_NAMES = 4


@dataclass(frozen=True, slots=True)
class Group:
    """The same change, or several that always come together, in all variants that have them."""

    kind: str
    artifact: str
    """What kind of output: `cdylib`; `step` for a step's own end."""
    what: str
    found: tuple[tuple[Found, ...], ...]
    """By name; for each the places, in the variants' order."""
    expected: str = ""
    """Why it is meant, where somebody said so."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(places[0].change.name for places in self.found)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.variant for one in self.found[0]))

    @property
    def count(self) -> int:
        """In how many outputs, or steps, it was found."""
        return len({(one.variant, one.step, one.subject) for one in self.found[0]})

    def headline(self, limit: int = _NAMES) -> str:
        """The group in one line."""
        noun = self.artifact if self.artifact != "step" else "step"
        subjects = f"{self.count} {noun}{'s' if self.count > 1 else ''}"
        if self.kind in ("output gone", "output new"):
            subjects = f"{self.count} step{'s' if self.count > 1 else ''}"
        names = [name for name in self.names if name]
        shown = ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
        text = KINDS[self.kind].format(subjects=subjects, names=shown)
        return f"{text}: {self.what}" if self.what else text


def grouped(found: Iterable[Found]) -> list[Group]:
    """Groups in the order of the kinds, the largest of a kind first."""
    same: dict[tuple[str, str, str, str], list[Found]] = {}
    for one in found:
        change = one.change
        same.setdefault((change.kind, one.artifact, change.what, change.name), []).append(one)
    together: dict[tuple[object, ...], list[tuple[Found, ...]]] = {}
    for (kind, artifact, what, _), places in same.items():
        where = frozenset((one.variant, one.step, one.subject) for one in places)
        together.setdefault((kind, artifact, what, where), []).append(tuple(places))
    groups = [
        Group(str(kind), str(artifact), str(what), tuple(sorted(names, key=lambda n: n[0].change.name)))
        for (kind, artifact, what, _), names in together.items()
    ]
    return sorted(groups, key=lambda one: (ORDER[one.kind], -one.count, one.artifact, one.names))


def meant(groups: Sequence[Group], reasons: Sequence[str]) -> list[Group]:
    """The groups with the reasons for which they are meant."""
    return [replace(one, expected=reason) for one, reason in zip(groups, reasons, strict=True)]
