"""What is installed of a toolchain: for which host, which targets, which components. Pure."""

from dataclasses import dataclass, field

from linkage.toolchain.sources.rustup.folders import machine_host


@dataclass(frozen=True, slots=True)
class ToolchainContents:
    """The parts of each toolchain."""

    targets: tuple[str, ...] = ()
    """The targets, besides the host, whose std is installed."""
    components: tuple[str, ...] = ()
    """More components, as rustup names them: `rust-src`, `clippy`, `rustc-dev`."""
    host: str = field(default_factory=machine_host)
    alt: bool = False
    """Whether a merge's compiler is the alt build, with assertions of LLVM."""

    @property
    def foreign(self) -> bool:
        """Whether the host is not this machine's."""
        return self.host != machine_host()

    @property
    def triples(self) -> tuple[str, ...]:
        """Every target whose std is installed."""
        return (self.host, *self.targets)

    @property
    def builds(self) -> str:
        """The folder of the server of CI artifacts."""
        return "rustc-builds-alt" if self.alt else "rustc-builds"

    def rustup_name(self, name: str) -> str:
        """The name by which rustup knows a toolchain."""
        return f"{name}-{self.host}" if self.foreign else name

    def folder_name(self, name: str) -> str:
        """The name of the folder of a toolchain with these contents."""
        parts = [name, *self.targets, *sorted(self.components)]
        parts += [self.host] if self.foreign else []
        parts += ["alt"] if self.alt else []
        return "+".join(parts)
