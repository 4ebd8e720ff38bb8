"""What became of each attempt of a fault on a variant, so that a run that was interrupted goes on."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from linkage.host.files import replace_file
from linkage.judge.results import KeptResult
from linkage.store.results import Results
from mutants.faults.fault import Fault
from mutants.variants import PlannedVariant
from mutants.wrappers import code_digest

_KEPT = 500
"""Attempts of one fault: the newest."""


@dataclass(frozen=True)
class FaultAttempt:
    """A variant that was tried with a fault, and the first claim that failed, if one did."""

    key: str
    """All that the outcome depends on."""
    claim: str
    """Empty if the variant passed."""


class FaultJournal:
    """The attempts of a fault, in a file of its own."""

    def __init__(self, folder: Path, fault: Fault, results: Results) -> None:
        self.file = folder / f"{fault.name}.jsonl"
        self._results = results
        self._fault = code_digest(fault)
        self._known = {one.key: one for one in _read(self.file)}

    def known(self, cell: PlannedVariant) -> str | None:
        """The first claim of this variant that failed, an empty text if none did; None if it was not tried
        since it, the fault or the compiler was changed.
        """
        found = self._known.get(self._key(cell))
        return found.claim if found else None

    def note(self, cell: PlannedVariant, claim: str = "", result: KeptResult | None = None) -> None:
        """Keep an attempt, and its result if a claim failed; the file is whole at any time."""
        if result is not None:
            self._results.record([result])
        found = FaultAttempt(self._key(cell), claim)
        self._known.pop(found.key, None)
        self._known[found.key] = found
        self.file.parent.mkdir(parents=True, exist_ok=True)
        kept = list(self._known.values())[-_KEPT:]
        replace_file(self.file, "".join(f"{line}\n" for line in _lines(kept)))

    def _key(self, cell: PlannedVariant) -> str:
        compiler = cell.variant.toolchain.fingerprint
        return " ".join((self._fault, compiler, cell.case.digest, str(cell.case.file.resolve()), cell.id))


def _lines(attempts: Iterable[FaultAttempt]) -> Iterator[str]:
    return (json.dumps(asdict(one)) for one in attempts)


def _read(file: Path) -> Iterator[FaultAttempt]:
    """The attempts of a file; a line that is not one is as if it were not there."""
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found = json.loads(line)
            yield FaultAttempt(str(found["key"]), str(found["claim"]))
        except (ValueError, KeyError, TypeError):
            continue
