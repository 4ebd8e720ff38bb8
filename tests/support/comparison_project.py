"""A case, and compilers that differ from the real one in one way."""

from dataclasses import dataclass
from pathlib import Path

from linkage.compare.comparison import Comparison
from linkage.compare.request import ComparisonOptions, compared


@dataclass
class ComparisonProject:
    """A folder with a case, and compilers that differ from the real one in one thing."""

    folder: Path
    rustc: Path
    shared: Path

    def compiler(self, name: str, body: str) -> str:
        """A toolchain spec: a script that does `body`, then what the real compiler does."""
        script = self.folder / "compilers" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\n{body.replace("RUSTC", str(self.rustc))}\nexec {self.rustc} "$@"\n')
        script.chmod(0o755)
        return f"{name}={script}"

    def case(self, text: str) -> str:
        place = self.folder / "case.yaml"
        place.write_text(text)
        return str(place)

    def compare(self, head: str, case: str, **asked: object) -> Comparison:
        """What differs between the real compiler and this one."""
        given: dict[str, object] = {"store": str(self.shared / "store"), **asked}
        return compared(ComparisonOptions((f"real={self.rustc}", head), [case], **given))  # type: ignore[arg-type]
