"""A prober without compilers: a table has the outcome of each toolchain."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from linkage.bisect.signature import ProbeResult, Signature
from linkage.bisect.subject import MissingError


def failure(line: str = "error: the shim is missing", step: str = "lib", claim: str = "exit") -> Signature:
    words = tuple(sorted(set(line.replace("error:", "").split())))
    return Signature(step, claim, (), "exit status N" if claim == "exit" else "", words, line)


PASSES = ProbeResult("pass", reached=3)
SHIM = ProbeResult("fail", failures=(failure(),), reached=3)
OTHER = ProbeResult("fail", failures=(failure("error: unknown flag"),), reached=1)
UNJUDGED = ProbeResult("skip", "this toolchain has no dynamic std")


@dataclass
class FakeProber:
    """`truth` gives what a variant shows on a toolchain, or None where there is no such toolchain."""

    truth: Callable[[str, str], ProbeResult | None]
    installs: list[str] = field(default_factory=list)
    probes: list[tuple[str, str]] = field(default_factory=list)
    prefetched: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    left: list[int] = field(default_factory=list)
    stop_after: int | None = None
    """So many looks, then somebody presses Ctrl-C."""

    def get(self, name: str) -> None:
        if self.truth(name, "") is None:
            raise MissingError("not on the server")
        if name not in self.there:
            self.installs.append(name)
        self.there.add(name)

    def results(self, name: str, variants: Sequence[str]) -> Iterator[tuple[str, ProbeResult]]:
        for variant in variants:
            yield variant, self.probe(name, variant)

    def remaining(self, count: int) -> None:
        self.left.append(count)

    def probe(self, name: str, variant: str) -> ProbeResult:
        assert name in self.there, f"{name} was not got"
        if self.stop_after is not None and len(self.probes) >= self.stop_after:
            raise KeyboardInterrupt
        self.probes.append((name, variant))
        found = self.truth(name, variant)
        assert found is not None
        return found

    def prefetch(self, names: Sequence[str]) -> None:
        self.prefetched += names

    def retain(self, names: Collection[str]) -> None:
        assert len(set(names)) == len(names)

    def available(self, names: Iterable[str]) -> set[str]:
        return self.there & set(names)
