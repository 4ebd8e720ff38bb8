"""Finds packages of the version of an unpacked compiler: the std of another target, or its sources."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from linkage.errors import AbsentStdError, AbsentSuiteError, ToolchainError, UnverifiedError
from linkage.toolchain.sources import rust_src
from linkage.toolchain.sources.debian import apt_sources
from linkage.toolchain.sources.debian.apt import Apt, require_programs
from linkage.toolchain.sources.debian.archive import in_order
from linkage.toolchain.sources.debian.installed import CompilerRecord
from linkage.toolchain.sources.debian.packages import COMPILERS, Package, source_version
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.rust_src import RustSource
from linkage.toolchain.sources.staging import Say


class VersionSearch:
    """The suites of a mirror, asked for packages of one version."""

    def __init__(
        self,
        record: CompilerRecord,
        home: Path,
        options: InstallOptions,
        env: Mapping[str, str],
        who: str,
        say: Say,
    ) -> None:
        self._record = record
        self._home = home
        self._options = options
        self._env = env
        self._who = who
        self._say = say
        self._source: RustSource | None = None

    @property
    def compiler(self) -> str:
        """The package that has the compiler: `rustc`, `rustc-web`; empty if it was not unpacked from one."""
        return next((name for name in COMPILERS if name in self._record.unpacked), "")

    def find(self, names: Sequence[str], architecture: str = "") -> tuple[Apt, list[Package]]:
        """The packages, all of one suite, and its apt; `architecture` is theirs if it is another than ours.

        Raises AbsentStdError if no suite has all of them: after the first suite that has the compiler itself.
        """
        for apt in self._apts(architecture) if self.compiler else ():
            self._say(f"{self._who}: searching {apt.suite}")
            try:
                apt.update()
            except (AbsentSuiteError, UnverifiedError):
                continue
            found = [one for name in names if (one := self._of_version(apt, name)) is not None]
            if len(found) == len(names):
                return apt, found
            if apt.exact(self.compiler, self._record.version) is not None:
                break
        raise AbsentStdError(
            f"no suite of the mirror has {' and '.join(names)} of version {self._record.version}",
            where=f"toolchain {self._who}",
            help="install the compiler anew, if its suite has a newer one",
        )

    def _of_version(self, apt: Apt, name: str) -> Package | None:
        version = self._record.version
        # What is for all architectures is not built again with the compiler, whose version then ends in +b1.
        return apt.exact(name, version) or apt.exact(name, source_version(version))

    def put(self, apt: Apt, packages: Sequence[Package], staged: Path, root: Path) -> None:
        """Fetch packages and unpack them below `root`."""
        for number, one in enumerate(packages, 1):
            size = f"{one.size >> 20} MiB"
            self._say(f"{self._who}: [{number}/{len(packages)}] {one.name} {one.version}, {size}")
            deb = apt.download(one, staged)
            apt.unpack(deb, root)
            deb.unlink()

    def source(self, sysroot: Path, staged: Path) -> RustSource:
        """The sources of the std: beside the compiler, else of `rust-src`, unpacked once below `staged`.

        Raises ToolchainError if there are none.
        """
        self._source = self._source or rust_src.in_sysroot(sysroot)
        if self._source:
            return self._source
        if not self.compiler:
            raise ToolchainError(
                f"no {sysroot / rust_src.IN_SYSROOT / 'library'}, from which a std could be compiled",
                where=f"toolchain {self._who}",
                help="unpack rust-src of the same version into the compiler's folder",
            )
        # Of rustc-web it is rust-web-src.
        apt, found = self.find([f"rust{self.compiler.removeprefix('rustc')}-src"])
        self.put(apt, found, staged, staged / "src")
        origin = f"{found[0].name} {found[0].version}"
        self._source = rust_src.in_package(staged / "src", origin, self._who)
        return self._source

    def _apts(self, architecture: str) -> Iterator[Apt]:
        require_programs(self._who, self._env)
        mirrors = apt_sources.mirrors(
            self._env, who=self._who, mirror=self._options.mirror, keyrings=self._options.keyrings
        )
        foreign = "" if architecture == mirrors.architecture else architecture
        for suite in dict.fromkeys([*self._record.suites, *in_order(self._record.release)]):
            yield Apt(
                self._home / "apt",
                suite,
                mirrors,
                self._env,
                who=self._who,
                unsigned=self._options.unsigned,
                foreign=foreign,
            )
