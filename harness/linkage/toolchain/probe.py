"""Asks a rustc what it can do, once for each compiler."""

import contextlib
import hashlib
import mmap
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain import cache_file
from linkage.toolchain.fingerprint import fingerprint, is_script
from linkage.toolchain.model import CRATE_TYPES, Capabilities, OutputName, Target, Toolchain
from linkage.toolchain.query import TIME_LIMIT, Reply, ask, first_words
from linkage.toolchain.release import RustcVersion, verbose_keys
from linkage.toolchain.sources.debian.installed import package_of
from linkage.toolchain.spec import Located
from linkage.toolchain.tools import ask_version
from linkage.toolchain.vocabulary import SANITIZERS

_REVISION = 5  # raise it if the questions or the meaning of the answers change
_LOCK_TIMEOUT = 30.0
_CRATE = "linkage_asks"
_FLAG = re.compile(r"^ +-[ZC] +([a-z0-9][a-z0-9_-]*)(?:=| |$)", re.MULTILINE)
_CFG = re.compile(r'^target_(os|arch|env)="(.*)"$', re.MULTILINE)
_TRIPLE = re.compile(r"[A-Za-z0-9_.+-]{3,80}", re.ASCII)
_RUNTIME = re.compile(r"(?:lib)?rustc-.*_rt\.([a-z]+)[._-].*")
_BACKEND = re.compile(r"(?:lib)?rustc_codegen_([a-z0-9_]+?)(?:-.+)?\.(?:so|dylib|dll)")
_DYNAMIC_STD = ("libstd-*.so", "libstd-*.dylib", "std-*.dll")
_MORE_CRATE_TYPES = ("sdylib",)


def probe(
    located: Located,
    cache_dir: Path,
    env: Mapping[str, str] | None = None,
    *,
    time_limit: float = TIME_LIMIT,
) -> Toolchain:
    """The toolchain with everything that it can do; asked once, then remembered in `cache_dir`.

    Raises ToolchainError if it is not a rustc, crashes, hangs, or answers with something that rustc
    would not.
    """
    asker = _Asker(located, os.environ if env is None else env, time_limit)
    with _one_at_a_time(cache_dir, located.rustc):
        sysroot = _sysroot_by_layout(located.rustc) or asker.sysroot()
        digest = fingerprint(located.rustc, sysroot, cache_dir)
        remembered = cache_dir / "probes" / f"{digest}-{_REVISION}.msgpack"
        answers = cache_file.load(remembered, Capabilities)
        if answers is None or answers.sysroot != sysroot:
            answers = asker.everything(sysroot)
            cache_file.save(remembered, answers)
    # A copy of a script has the same answers and sysroot, but another path.
    own = replace(answers, rustc=located.rustc)
    return Toolchain(located.name, located.spec, located.rustc, digest, own, package_of(located.rustc))


def probe_target(toolchain: Toolchain, triple: str, env: Mapping[str, str]) -> Target:
    """What a toolchain can do for a target that it has no library for. Raises ToolchainError."""
    asker = _Asker(Located(toolchain.name, toolchain.spec, toolchain.rustc), env, TIME_LIMIT)
    return asker.target(triple, toolchain.sysroot / "lib" / "rustlib" / triple / "lib")


@contextlib.contextmanager
def _one_at_a_time(cache_dir: Path, rustc: Path) -> Iterator[None]:
    """Let one process ask while the others wait for its answers.

    The lock only saves work: if it cannot be acquired, or its holder's rustc hangs, each process asks
    for itself.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - a listing of cases needs no locks

    name = hashlib.blake2b(os.fsencode(rustc), digest_size=8).hexdigest()
    lock = FileLock(cache_dir / "probes" / f"{name}.lock")
    try:
        (cache_dir / "probes").mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LOCK_TIMEOUT)
    except (OSError, Timeout):
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _sysroot_by_layout(rustc: Path) -> Path | None:
    """The sysroot of a rustc that is in one, found as rustc itself finds it: two folders up."""
    if is_script(rustc):
        return None
    sysroot = rustc.resolve().parent.parent
    own = any((sysroot / "lib").glob("*rustc_driver*"))
    return sysroot if own and (sysroot / "lib" / "rustlib").is_dir() else None


class _Asker:
    """One compiler being asked."""

    def __init__(self, located: Located, env: Mapping[str, str], time_limit: float) -> None:
        self._located = located
        self._env = env
        self._time_limit = time_limit

    def everything(self, sysroot: Path) -> Capabilities:
        verbose = self._verbose()
        keys = verbose_keys(verbose.stdout)
        try:
            version = RustcVersion.from_verbose(verbose.stdout)
        except ValueError as error:
            raise self._wrong(verbose, f"does not print the version of a rustc: {error}") from None
        host = keys.get("host", "")
        if not _TRIPLE.fullmatch(host):
            raise self._wrong(verbose, "does not print its host")
        libdir = Path(self._line("--print", "target-libdir"))
        rustlib = sysroot / "lib" / "rustlib" if libdir.parent.name != host else libdir.parent.parent
        rust_lld = rustlib / host / "bin" / "rust-lld"
        gcc_ld = rust_lld.parent / "gcc-ld"
        llvm = keys.get("LLVM version")
        return Capabilities(
            rustc=self._located.rustc,
            sysroot=sysroot,
            version=version,
            host=host,
            llvm_version=llvm,
            unstable_flags=self._flags("-Z", bootstrap=True),
            codegen_flags=self._flags("-C"),
            needs_bootstrap=self._ask("-Z", "help").status != 0,
            targets=tuple(
                self.target(triple, rustlib / triple / "lib") for triple in _triples(rustlib, host)
            ),
            backends=_backends(rustlib / host / "codegen-backends") | ({"llvm"} if llvm else frozenset()),
            rust_lld=rust_lld if rust_lld.is_file() else None,
            rust_lld_version=self._lld_version(rust_lld),
            gcc_ld=gcc_ld if (gcc_ld / "ld.lld").is_file() else None,
        )

    def _lld_version(self, rust_lld: Path) -> str:
        # rustc starts it as it is, so one that does not start here is of no use to rustc either.
        if not rust_lld.is_file():
            return ""
        return ask_version([rust_lld, "-flavor", "gnu", "--version"], self._env)

    def sysroot(self) -> Path:
        # Asked first if the layout does not tell the sysroot: a program that is not a rustc ends here.
        self._verbose()
        answer = self._line("--print", "sysroot")
        sysroot = Path(answer)
        if not sysroot.is_dir():
            raise ToolchainError(
                f"its sysroot {answer[:200]!r} is not a folder",
                where=self._where,
                help="name a rustc with its sysroot",
            )
        return sysroot

    def _verbose(self) -> Reply:
        verbose = self._ask("-vV")
        if verbose.status != 0 or not verbose.stdout.startswith("rustc "):
            raise self._wrong(verbose, "is not a rustc", help="name the executable of a rustc")
        return verbose

    def target(self, triple: str, libdir: Path) -> Target:
        names = _names(libdir)
        runtimes = {found[1] for name in names if (found := _RUNTIME.fullmatch(name))}
        rlibs = {crate: _rlib(names, crate) for crate in ("core", "std")}
        bitcode = rlibs["std"] or rlibs["core"]
        cfg = dict(_CFG.findall(self._ask("--print", "cfg", "--target", triple).stdout))
        return Target(
            triple=triple,
            libdir=libdir,
            has_core=rlibs["core"] is not None,
            has_std=rlibs["std"] is not None,
            dynamic_std=any(path.is_file() for pattern in _DYNAMIC_STD for path in libdir.glob(pattern)),
            std_bitcode=bitcode is not None and _holds_bitcode(libdir / bitcode),
            profiler=_rlib(names, "profiler_builtins") is not None,
            sanitizers=frozenset(SANITIZERS[runtime] for runtime in runtimes if runtime in SANITIZERS),
            outputs=self._outputs(triple),
            os=cfg.get("os", ""),
            arch=cfg.get("arch", ""),
            libc=cfg.get("env", ""),
            known="arch" in cfg,
        )

    def _outputs(self, triple: str) -> tuple[OutputName, ...]:
        """The target's output names of each crate type that it has.

        All are asked for at once. If the target lacks one, rustc drops it with a warning; older compilers
        refuse it, and then each is asked for alone.
        """
        usual = [kind for kind in CRATE_TYPES if kind not in _MORE_CRATE_TYPES]
        together = self._file_names(triple, usual)
        if len(together) == len(usual):
            found = dict(zip(usual, together, strict=True))
            rest: Iterable[str] = _MORE_CRATE_TYPES
        else:
            found, rest = {}, CRATE_TYPES
        for kind in rest:
            if len(alone := self._file_names(triple, [kind])) == 1:
                found[kind] = alone[0]
        return tuple(
            OutputName(kind, *name.split(_CRATE, 1))
            for kind, name in found.items()
            if name.count(_CRATE) == 1
        )

    def _file_names(self, triple: str, kinds: list[str]) -> list[str]:
        types = [word for kind in kinds for word in ("--crate-type", kind)]
        unstable = any(kind in _MORE_CRATE_TYPES for kind in kinds)
        extra = ("-Zunstable-options",) if unstable else ()
        answer = self._ask(
            "--crate-name",
            _CRATE,
            *types,
            *extra,
            "--target",
            triple,
            "--print",
            "file-names",
            "-",
            bootstrap=unstable,
        )
        return answer.stdout.split() if answer.status == 0 else []

    def _flags(self, option: str, *, bootstrap: bool = False) -> frozenset[str]:
        answer = self._ask(option, "help", bootstrap=bootstrap)
        flags = frozenset(flag.replace("_", "-") for flag in _FLAG.findall(answer.stdout))
        if option == "-C" and (answer.status != 0 or not flags):
            raise self._wrong(answer, "does not list its codegen options")
        return flags

    def _line(self, *arguments: str) -> str:
        answer = self._ask(*arguments)
        line = answer.stdout.strip()
        if answer.status != 0 or not line or "\n" in line:
            raise self._wrong(answer, f"does not answer {' '.join(arguments)}")
        return line

    def _ask(self, *arguments: str, bootstrap: bool = False) -> Reply:
        return ask(
            [self._located.rustc, *arguments],
            self._env,
            who=self._located.name,
            time_limit=self._time_limit,
            bootstrap=bootstrap,
        )

    @property
    def _where(self) -> str:
        return f"toolchain {self._located.name}"

    def _wrong(self, answer: Reply, what: str, help: str | None = None) -> ToolchainError:
        command = " ".join(answer.command)
        printed = answer.summary if answer.status else f"it printed {first_words(answer.stdout) or 'nothing'}"
        return ToolchainError(
            f"{self._located.rustc} {what}: `{command}`: {printed}", where=self._where, help=help
        )


def _triples(rustlib: Path, host: str) -> list[str]:
    """The host, then every other target with a core library."""
    others = (path.parent.parent.name for path in rustlib.glob("*/lib/libcore-*.rlib"))
    return list(dict.fromkeys([host, *sorted(others)]))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _rlib(names: list[str], crate: str) -> str | None:
    return next((name for name in names if name.startswith(f"lib{crate}-") and name.endswith(".rlib")), None)


def _backends(folder: Path) -> frozenset[str]:
    return frozenset(found[1] for name in _names(folder) if (found := _BACKEND.fullmatch(name)))


def _holds_bitcode(rlib: Path) -> bool:
    """Whether its objects have a section of bitcode (`.llvmbc`, on Apple `__bitcode`)."""
    try:
        with rlib.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return view.find(b".llvmbc") >= 0 or view.find(b"__bitcode") >= 0
    except (OSError, ValueError):
        return False
