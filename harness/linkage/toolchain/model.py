"""A toolchain and its answers to what it can do here."""

from dataclasses import dataclass
from pathlib import Path

from linkage.toolchain.platform import PLATFORM, object_format
from linkage.toolchain.release import RustcVersion

CRATE_TYPES = ("bin", "rlib", "dylib", "cdylib", "staticlib", "proc-macro", "sdylib")


@dataclass(frozen=True, slots=True)
class OutputName:
    """How a target names a crate type's output: `lib` and `.so` around the crate's name."""

    crate_type: str
    prefix: str
    suffix: str

    def file(self, crate: str) -> str:
        return f"{self.prefix}{crate}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a toolchain has for one target triple; the host is always one of them."""

    triple: str
    libdir: Path
    has_core: bool
    has_std: bool
    dynamic_std: bool
    std_bitcode: bool
    profiler: bool
    sanitizers: frozenset[str]
    outputs: tuple[OutputName, ...]
    os: str = ""
    """As `--print cfg` names it: `linux`, `none`."""
    arch: str = ""
    libc: str = ""
    """What rustc calls the target's environment: `gnu`, `musl`; empty if it has none."""

    known: bool = True
    """Whether the compiler knows the target at all."""

    @property
    def platform(self) -> dict[str, str]:
        """What conditions say of it, by their keys."""
        return dict(zip(PLATFORM, (self.object_format, self.os, self.arch, self.libc), strict=True))

    @property
    def object_format(self) -> str:
        """As `OBJECT_FORMATS` has it; empty if it is none of these."""
        return object_format(self.os, self.arch)

    def output(self, crate_type: str) -> OutputName | None:
        """The name of this crate type's output; None if the target does not have the type."""
        kind = "rlib" if crate_type == "lib" else crate_type
        return next((output for output in self.outputs if output.crate_type == kind), None)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a compiler answered; remembered on disk under its fingerprint."""

    rustc: Path
    sysroot: Path
    version: RustcVersion
    host: str
    llvm_version: str | None
    unstable_flags: frozenset[str]
    codegen_flags: frozenset[str]
    needs_bootstrap: bool
    targets: tuple[Target, ...]
    backends: frozenset[str]
    rust_lld: Path | None
    rust_lld_version: str = ""
    """The version that its own LLD prints; empty if it has none."""
    gcc_ld: Path | None = None
    """The folder with its LLD as `ld.lld`, which `cc -B` takes; None if it has none."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A rustc with its sysroot, under the name that node ids use."""

    name: str
    spec: str
    rustc: Path
    fingerprint: str
    capabilities: Capabilities
    package: str = ""
    """The package and its version, if it was unpacked from a Debian archive."""

    @property
    def tools(self) -> dict[str, str]:
        """The versions of its tools, which do not follow from the version of rustc."""
        own = {"rust-lld": self.capabilities.rust_lld_version, "package": self.package}
        return {name: version for name, version in own.items() if version}

    @property
    def sysroot(self) -> Path:
        return self.capabilities.sysroot

    @property
    def version(self) -> RustcVersion:
        return self.capabilities.version

    @property
    def host(self) -> str:
        return self.capabilities.host

    @property
    def llvm_version(self) -> str | None:
        return self.capabilities.llvm_version

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.capabilities.targets

    @property
    def needs_bootstrap(self) -> bool:
        """Whether unstable flags need RUSTC_BOOTSTRAP=1."""
        return self.capabilities.needs_bootstrap

    def brings_linker(self, linker: str) -> bool:
        """Whether the linker comes with it, so that the machine need not have it."""
        return linker == "lld" and self.capabilities.gcc_ld is not None

    def target(self, triple: str | None = None) -> Target | None:
        """The target of the triple, or the host; None if that target is not installed."""
        name = triple or self.host
        return next((target for target in self.targets if target.triple == name), None)

    def has_unstable(self, flag: str) -> bool:
        """Whether `-Z <flag>` is known, written with hyphens or underscores."""
        return flag.replace("_", "-") in self.capabilities.unstable_flags

    def has_codegen(self, flag: str) -> bool:
        """Whether `-C <flag>` is known, written with hyphens or underscores."""
        return flag.replace("_", "-") in self.capabilities.codegen_flags

    def has_backend(self, backend: str) -> bool:
        """Whether `-Zcodegen-backend=<backend>` is there: `llvm`, `cranelift`, `gcc`."""
        return backend in self.capabilities.backends

    def dynamic_std(self, target: str | None = None) -> bool:
        found = self.target(target)
        return found is not None and found.dynamic_std

    def std_bitcode(self, target: str | None = None) -> bool:
        """Whether LTO can include std: its rlib has bitcode."""
        found = self.target(target)
        return found is not None and found.std_bitcode

    def profiler(self, target: str | None = None) -> bool:
        found = self.target(target)
        return found is not None and found.profiler

    def has_sanitizer(self, sanitizer: str, target: str | None = None) -> bool:
        """Whether the runtime that `-Zsanitizer=<sanitizer>` links is there."""
        found = self.target(target)
        return found is not None and sanitizer in found.sanitizers

    def supports_crate_type(self, crate_type: str, target: str | None = None) -> bool:
        found = self.target(target)
        return found is not None and found.output(crate_type) is not None


def describe(toolchain: Toolchain) -> list[tuple[str, str]]:
    """The rows of a toolchain in a listing: labels with their values, as text."""
    can = toolchain.capabilities
    rows = [
        ("name", toolchain.name),
        ("version", str(toolchain.version)),
        ("LLVM", can.llvm_version or "none"),
        ("host", can.host),
        ("rustc", str(toolchain.rustc)),
        ("sysroot", str(can.sysroot)),
        ("fingerprint", toolchain.fingerprint),
        (
            "unstable flags",
            f"{len(can.unstable_flags)}" + (", with RUSTC_BOOTSTRAP=1" if can.needs_bootstrap else ""),
        ),
        ("backends", ", ".join(sorted(can.backends)) or "none"),
        ("rust-lld", (can.rust_lld_version or "yes") if can.rust_lld else "no"),
    ]
    if toolchain.package:
        rows.append(("package", toolchain.package))
    rows += [(f"target {target.triple}", _describe_target(target)) for target in toolchain.targets]
    return rows


def _describe_target(target: Target) -> str:
    facts = [
        "std" if target.has_std else "core only" if target.has_core else "no std",
        "dynamic std" if target.dynamic_std else "",
        "std has bitcode" if target.std_bitcode else "",
        "profiler" if target.profiler else "",
        f"sanitizers: {' '.join(sorted(target.sanitizers))}" if target.sanitizers else "",
        f"crate types: {' '.join(output.crate_type for output in target.outputs)}" if target.outputs else "",
    ]
    return "; ".join(fact for fact in facts if fact)
