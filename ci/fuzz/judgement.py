"""Runs a target on one input: within time and memory, and with nothing but the documented error."""

import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import linkage
from linkage.errors import LinkageError

MEMORY = 1 << 30
"""Bytes for one input, beyond what the process has before it."""

_PACKAGE = Path(linkage.__file__).parent


class TooSlowError(BaseException):
    """An input took more than its time. No reader catches it."""


@dataclass(frozen=True, slots=True)
class FuzzFinding:
    """An input on which a target failed."""

    error: str
    place: str
    """Where in the package: `artifact.ar:_names`."""
    told: str
    data: bytes

    @property
    def name(self) -> str:
        """A file name that tells findings apart by what they are."""
        digest = blake2b(self.data, digest_size=4).hexdigest()
        return f"{self.error}-{self.place.replace(':', '.').replace('<', '').replace('>', '')}-{digest}"


def failure(run: Callable[[bytes], None], data: bytes, seconds: int) -> FuzzFinding | None:
    """What goes wrong with this input, which may take so much processor time."""
    try:
        with _time_limit(seconds):
            run(data)
    except LinkageError:
        return None
    except (Exception, TooSlowError) as error:  # noqa: BLE001 - that is what is looked for
        told = "".join(traceback.format_exception(error, limit=-12))
        return FuzzFinding(type(error).__name__, _place(error), told, data)
    return None


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def limit_memory() -> None:
    """Let an allocation that is too large fail in this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _place(error: BaseException) -> str:
    """The innermost function of the package that the error came through."""
    place = "outside"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            module = ".".join(file.relative_to(_PACKAGE).with_suffix("").parts)
            place = f"{module}:{frame.f_code.co_name}"
    return place
