"""A Cargo project as one step, whose outputs are all linked files and archives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from linkage.artifact.reader import read
from linkage.compare.builds import ComparedVariant
from linkage.compare.comparison import BuildResult, ComparedSide, NotCompared
from linkage.compare.model import ComparedStep, VariantBuild
from linkage.compare.normalization import Normalizer
from linkage.compare.variant import diagnostic, linkers, placeless, unjudged
from linkage.errors import LinkageError
from linkage.run.cargo import CargoBuilt, CargoProject, cargo_build
from linkage.toolchain import Toolchain


@dataclass
class CargoSource:
    """Builds a project with a toolchain's rustc."""

    project: CargoProject
    toolchain: Toolchain
    cargo: Path
    target: Path
    """The target directory."""
    normalizer: Normalizer
    environment: Mapping[str, str]
    jobs: int
    seen: dict[str, int] = field(default_factory=dict)

    def build(self, cell: ComparedVariant) -> BuildResult:
        try:
            done = cargo_build(
                self.project, self.toolchain, self.cargo, self.target, self.environment, self.jobs
            )
            build = self._built(done)
        except LinkageError as error:
            return NotCompared(cell.name, str(error), error=True)
        for name in linkers(build):
            self.seen[name] = self.seen.get(name, 0) + 1
        why = unjudged(build)
        return build if why is None else NotCompared(cell.name, why, error=True)

    def _built(self, done: CargoBuilt) -> VariantBuild:
        places = {str(self.target): "$TARGET", str(self.toolchain.sysroot): "$SYSROOT"}

        def plain(text: str) -> str:
            return placeless(text, places, self.normalizer.filters)

        artifacts = {
            name: self.normalizer.artifact(read(file, for_comparison=True, root=Path("/")))
            for name, file in sorted(done.files.items())
        }
        step = ComparedStep(
            "cargo build",
            "rustc",
            f"exit status {done.status}",
            tuple(sorted(diagnostic(one, plain) for one in done.diagnostics)),
            outputs=tuple(sorted(artifacts)),
            artifacts=artifacts,
        )
        return VariantBuild((step,))

    def side(self) -> ComparedSide:
        can = self.toolchain.capabilities
        return ComparedSide(
            self.toolchain.name,
            str(can.version),
            can.llvm_version or "none",
            self.toolchain.fingerprint,
            dict(self.seen),
        )
