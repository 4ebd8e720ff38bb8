"""Where a bisection's toolchains come from, and where its variants are tried."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from filelock import FileLock

from harness.bisect import artifacts, nightly
from harness.bisect.download import Ahead, Downloads, FailedError, NotThereError, UnreachableError
from harness.bisect.drive import MissingError
from harness.bisect.signature import Seen, lack, seen
from harness.build.plan import Variant
from harness.errors import LinkageError, ToolchainError
from harness.judge.verdict import Outcome
from harness.session import Session
from harness.toolchain import Toolchain, rustup
from harness.toolchain.version import VersionRange

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_PATIENCE = 3
"""So many toolchains in a row that cannot be got: then it is not the toolchains."""
_SIZE = "size"


@dataclass
class Tools:
    """What toolchains are got with, and how much of the disk they may take."""

    folder: Path
    env: Mapping[str, str]
    downloads: Downloads
    targets: tuple[str, ...] = ()
    limit: int = 20 << 30
    ci_server: str = artifacts.SERVER
    ahead: bool = True
    lack_fails: bool = False
    """Whether what a toolchain lacks is a failure, and not a skip."""


class Bench:
    """A laboratory with real compilers: `variants` are tried by their name.

    Each toolchain is in a folder of its own below `tools.folder`, with a lock, so that several
    bisections at once share what they install.
    """

    def __init__(
        self,
        session: Session,
        variants: Mapping[str, Callable[[Toolchain], Variant]],
        tools: Tools,
        say: Callable[[str], None],
    ) -> None:
        self.session = session
        self.variants = variants
        self.tools = tools
        self.say = say
        self.installed = 0
        """How many toolchains were installed."""
        self._found: dict[str, Toolchain] = {}
        self._ahead = Ahead()
        self._held: frozenset[str] = frozenset()
        self._failed = 0

    def get(self, name: str) -> None:
        """Make a toolchain ready. Raises MissingError where there is none that can be used."""
        if name in self._found:
            return
        try:
            spec = self._spec(name)
            (toolchain,) = self.session.toolchains([spec])
        except NotThereError as error:
            raise MissingError(f"the server has none: {error}") from None
        except FailedError as error:
            self._count_failure(name, str(error))
            raise MissingError(f"it cannot be got: {error}", for_now=True) from None
        except ToolchainError as error:
            raise MissingError(str(error)) from None
        self._failed = 0
        self._found[name] = replace(toolchain, name=name) if self._is_fetched(name) else toolchain

    def toolchain(self, name: str) -> Toolchain:
        """A toolchain that was got, got again where it has been removed since."""
        self.get(name)
        return self._found[name]

    def look(self, name: str, variant: str) -> Seen:
        """Try a variant."""
        toolchain = self._found[name]
        one = self.variants[variant](toolchain)
        verdict = self.session.verdict(one)
        if self.tools.lack_fails and verdict.outcome is Outcome.SKIP and within_limits(one):
            return lack(toolchain.name, verdict.reason)
        return seen(verdict)

    def fetch(self, names: Sequence[str]) -> None:
        """Begin to fetch these while something else is tested."""
        if not self.tools.ahead:
            return
        for name in names:
            if self._is_fetched(name) and name not in self._found and not self._there(name):
                self._ahead.begin(name, partial(self._fetch, name))

    def hold(self, names: Collection[str]) -> None:
        """Which toolchains must stay when the disk's limit is reached."""
        self._held = frozenset(names)

    def at_hand(self, names: Iterable[str]) -> set[str]:
        """Those of these that are installed."""
        return {name for name in names if name in self._found or self._there(name)}

    def _is_fetched(self, name: str) -> bool:
        """Whether a toolchain comes from a server, rather than from where the user says."""
        return rustup.channel_name(name) is not None or _COMMIT.fullmatch(name) is not None

    def _there(self, name: str) -> Path | None:
        """The folder of a toolchain that is installed, by us or by the user."""
        if _COMMIT.fullmatch(name):
            return artifacts.is_there(self._home(name))
        if not self._is_fetched(name):
            return None
        theirs = rustup.find(name, self.session.environment) if not self.tools.targets else None
        return theirs or nightly.is_there(self._home(name))

    def _home(self, name: str) -> Path:
        with_targets = "+".join([name, *self.tools.targets])
        return self.tools.folder / with_targets

    def _spec(self, name: str) -> str:
        if not self._is_fetched(name):
            return name
        self._ahead.wait(name)
        folder = self._there(name)
        if folder is None:
            with self._locked(name):
                folder = self._there(name) or self._install(name)
        with contextlib.suppress(OSError):
            os.utime(self._home(name) / _SIZE)  # used now, so removed late
        return f"{name}={rustup.rustc_of(folder)}"

    def _install(self, name: str) -> Path:
        self._make_room()
        self.say(f"{name}: installing")
        home = self._home(name)
        tools = self.tools
        if _COMMIT.fullmatch(name):
            names = artifacts.packages(rustup.machine_host(), tools.targets)
            got = artifacts.fetch(name, home / "downloads", tools.downloads, tools.ci_server, names)
            folder = artifacts.unpack(got, home)
        else:
            try:
                nightly.fetch(name, home, tools.downloads, tools.env, tools.targets)
            except UnreachableError:
                raise
            except FailedError:
                pass  # rustup says it best what is wrong with an archive or a manifest
            folder = nightly.install(name, home, tools.downloads, tools.env, tools.targets)
        self.installed += 1
        (home / _SIZE).write_text(json.dumps(_size(home)))
        return folder

    def _fetch(self, name: str) -> None:
        tools, home = self.tools, self._home(name)
        with self._locked(name):
            if self._there(name):
                return
            if _COMMIT.fullmatch(name):
                names = artifacts.packages(rustup.machine_host(), tools.targets)
                artifacts.fetch(name, home / "downloads", tools.downloads, tools.ci_server, names)
            else:
                nightly.fetch(name, home, tools.downloads, tools.env, tools.targets)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        home = self._home(name)
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LinkageError(f"cannot be written: {error.strerror}", where=str(self.tools.folder)) from None
        with FileLock(home / "lock"):
            yield

    def _make_room(self) -> None:
        """Remove toolchains that are not wanted any more, until the next one fits."""
        sizes = {}
        for place in self.tools.folder.glob(f"*/{_SIZE}"):
            with contextlib.suppress(OSError, ValueError):
                sizes[place.parent] = (place.stat().st_mtime, int(place.read_text()))
        largest = max((size for _, size in sizes.values()), default=0)
        total = sum(size for _, size in sizes.values())
        for home in sorted(sizes, key=lambda one: sizes[one][0]):
            if total + largest <= self.tools.limit:
                return
            name = home.name.partition("+")[0]
            if name in self._held:
                continue
            self._remove(home)
            self._found.pop(name, None)
            total -= sizes[home][1]

    def _remove(self, home: Path) -> None:
        with FileLock(home / "lock"):
            (home / "whole").unlink(missing_ok=True)
            shutil.rmtree(home, ignore_errors=True)

    def _count_failure(self, name: str, why: str) -> None:
        self._failed += 1
        if self._failed >= _PATIENCE:
            raise LinkageError(
                f"{self._failed} toolchains in a row could not be got: {why}",
                where=name,
                mend="when the server can be reached again: linkage bisect --resume",
            )


def within_limits(variant: Variant) -> bool:
    """Whether the case says that it is about this compiler."""
    limits = variant.case.model.toolchains
    return limits is None or VersionRange.parse(limits).contains(variant.toolchain.version)


def _size(folder: Path) -> int:
    """What a folder takes of the disk, in bytes."""
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*"))
