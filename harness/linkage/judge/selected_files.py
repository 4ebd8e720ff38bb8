"""The files that a claim is about, among those that a step has left. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from linkage.plan.observation import Outcome
from linkage.plan.state import FOLDER, matching


@dataclass(frozen=True, slots=True)
class SelectedFiles:
    """What paths or globs select."""

    names: tuple[str, ...]
    """Files whose facts were read, sorted."""
    others: Mapping[str, str]
    """Anything else by its name, and what it is."""

    @classmethod
    def of(cls, outcome: Outcome, patterns: Iterable[str]) -> Self:
        """Select among the files of an outcome."""
        names: set[str] = set()
        others: dict[str, str] = {}
        for pattern in patterns:
            names.update(matching(outcome.facts, pattern))
            others |= {name: outcome.others[name] for name in matching(outcome.others, pattern)}
        return cls(tuple(sorted(names)), others)

    @property
    def unread(self) -> Mapping[str, str]:
        """What has no facts but is meant: a glob over files also matches the folders around them."""
        return {name: what for name, what in self.others.items() if not (self.names and what == FOLDER)}
