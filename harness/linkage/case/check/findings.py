"""Errors of many cells, each reported once with the cells that have it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from linkage.errors import CaseError, Position

_NAMED = 2


@dataclass(slots=True)
class _Finding:
    help: str | None
    variants: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """Errors by place and text; the same error in several variants is one."""

    found: dict[tuple[Position, str], _Finding] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, what: str, where: Position, variants: Iterable[str], help: str | None = None) -> None:
        """Record an error in some variants."""
        self.found.setdefault((where, what), _Finding(help)).variants.update(dict.fromkeys(variants))

    def errors(self, total: int) -> list[CaseError]:
        """One error for each finding; `total` is how many variants there are."""
        return [
            CaseError(what + _where_so(list(finding.variants), total), where=where, help=finding.help)
            for (where, what), finding in self.found.items()
        ]


def _where_so(variants: list[str], total: int) -> str:
    if len(variants) == total:
        return ""
    named = ", ".join(f"[{name}]" for name in variants[:_NAMED])
    rest = len(variants) - _NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return f" in the variant{'s' if len(variants) > 1 else ''} {named}{more}"
