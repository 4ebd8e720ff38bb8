"""How far a bisection is: what is downloaded, how fast, and how much is left at most."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MEGABYTE = 1e6
_SETTLED = 0.5
"""Seconds after which the speed of a download says something."""


@dataclass
class _Download:
    began: float
    first: int
    received: int = 0
    total: int | None = None


@dataclass
class BisectProgress:
    """What happens now, in words. `show` gets a text for a line, and a detail for a terminal."""

    show: Callable[[str, str], None]
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _downloads: dict[tuple[str, str], _Download] = field(default_factory=dict)
    _current: str = ""
    _doing: str = ""
    _left: int | None = None
    _began: float | None = None
    _spent: list[float] = field(default_factory=list)
    """Seconds that each toolchain took."""

    def begin(self, name: str, doing: str) -> None:
        """What happens to the toolchain that is needed now."""
        with self._lock:
            self._current, self._doing = name, doing
        self._tell()

    def toolchain_begins(self) -> None:
        """The next toolchain is needed."""
        with self._lock:
            self._began = self.clock()

    def toolchain_ends(self) -> None:
        """The last variant was tried on it."""
        with self._lock:
            if self._began is not None:
                self._spent.append(self.clock() - self._began)
            self._began = None

    def remaining(self, count: int) -> None:
        """So many toolchains are left at most."""
        with self._lock:
            self._left = count
        self._tell()

    def received(self, name: str, url: str, have: int, total: int | None) -> None:
        """So many bytes of a file of this toolchain are there, of so many."""
        with self._lock:
            one = self._downloads.setdefault((name, url), _Download(self.clock(), have))
            one.received, one.total = have, total
        self._tell()

    def ended(self, name: str, url: str) -> None:
        """The file is complete, or its download has failed."""
        with self._lock:
            self._downloads.pop((name, url), None)

    def text(self) -> tuple[str, str]:
        """The line, and its detail: the toolchains that are downloaded ahead."""
        with self._lock:
            names = dict.fromkeys(name for name, _ in self._downloads)
            told = {name: self._download(name) for name in names}
            now = told.pop(self._current, None)
            line = ""
            if self._current:
                line = f"{self._current}: {now or self._doing}"
            elif told:
                name, line = next(iter(told.items()))
                del told[name]
                line = f"{name}: {line}"
            left = self._remaining()
            detail = "; ".join(f"{name}: {one}" for name, one in told.items())
            return "; ".join(part for part in (line, left) if part), detail

    def _download(self, name: str) -> str:
        parts = [one for (other, _), one in self._downloads.items() if other == name]
        received = sum(one.received for one in parts)
        total = sum(one.total or 0 for one in parts) if all(one.total for one in parts) else 0
        size = f"{received / _MEGABYTE:.1f}"
        size += f" of {total / _MEGABYTE:.1f} MB" if total else " MB"
        seconds = self.clock() - min(one.began for one in parts)
        if seconds < _SETTLED:
            return f"downloading {size}"
        speed = sum(one.received - one.first for one in parts) / seconds
        return f"downloading {size}, {speed / _MEGABYTE:.1f} MB/s"

    def _remaining(self) -> str:
        if self._left is None:
            return ""
        what = f"at most {self._left} more toolchain{'' if self._left == 1 else 's'}"
        if not self._spent or not self._left:
            return what
        return f"{what}, about {_duration(self._left * sum(self._spent) / len(self._spent))}"

    def _tell(self) -> None:
        text, detail = self.text()
        if text:
            self.show(text, detail)


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004
