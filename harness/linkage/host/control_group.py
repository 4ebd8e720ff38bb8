"""A control group for what a supervisor starts, where the user may make one: the kernel itself then keeps
what several processes use together within limits (cgroups(7)).

The groups are beside or below that of this process, whose limits go on to hold. A supervisor removes its
group when it ends, also after Ctrl-C; what a killed one has left, the next run removes.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from linkage.host.cgroup_tree import NEEDED, CgroupTree, cgroup_trees, event_count

_NAME = "linkage-"
_numbers = count()


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """A folder in which groups can be made."""

    parent: Path
    home: Path
    """The group of this process in that tree."""
    controllers: tuple[str, ...]
    unified: bool


class ControlGroup:
    """A group with limits, in every tree that is needed for them."""

    def __init__(self, places: tuple[GroupPlace, ...], memory: int, processes: int) -> None:
        """`memory` in bytes. Raises OSError, with nothing left, if it cannot be made."""
        self._places = places
        name = f"{_NAME}{os.getpid()}-{next(_numbers)}"
        self.folders = [place.parent / name for place in places]
        self.arguments = [str(one) for pair in zip(self.homes, self.folders, strict=True) for one in pair]
        """For the supervisor: the groups that it goes back to, each before that which it then removes."""
        try:
            for place, folder in zip(places, self.folders, strict=True):
                folder.mkdir()
                _limit(folder, place, memory, processes)
        except OSError:
            self.remove()
            raise
        self._seen = self._counts()

    @property
    def is_unified(self) -> bool:
        """Whether it is one of cgroup v2."""
        return self._places[0].unified

    @property
    def homes(self) -> list[Path]:
        return [place.home for place in self._places]

    def add(self, pid: int) -> None:
        """Put a process into the group, and with it all that it starts. Raises OSError."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def reached(self) -> str | None:
        """The limit that was reached since this was last asked: "memory" or "processes"."""
        before, self._seen = self._seen, self._counts()
        return next((what for what, number in self._seen.items() if number > before[what]), None)

    def _counts(self) -> dict[str, int]:
        found = dict.fromkeys(("memory", "processes"), 0)
        for place, folder in zip(self._places, self.folders, strict=True):
            if "memory" in place.controllers:
                events = "memory.events" if place.unified else "memory.oom_control"
                found["memory"] = event_count(_read(folder / events), "oom_kill")
            if "pids" in place.controllers:
                found["processes"] = event_count(_read(folder / "pids.events"), "max")
        return found

    def remove(self) -> None:
        """Remove the group, if nothing is in it."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def make_group(memory: int, processes: int) -> ControlGroup | None:
    """A group for one supervisor and what it starts; None if this user may not make one here."""
    places = group_places()
    with contextlib.suppress(OSError):
        return ControlGroup(places, memory, processes + 1) if places else None
    return None


@cache
def group_places() -> tuple[GroupPlace, ...]:
    """Where groups can be made that limit memory and processes, without leftovers; empty if nowhere."""
    found: list[GroupPlace] = []
    for tree in cgroup_trees(_read(Path("/proc/self/mountinfo")), _read(Path("/proc/self/cgroup"))):
        found += _unified(tree) if tree.unified else _separate(tree)
    for needed in ([one for one in found if one.unified][:1], [one for one in found if not one.unified]):
        if {name for place in needed for name in place.controllers} == set(NEEDED):
            _sweep(needed)
            return tuple(needed)
    return ()


def _unified(tree: CgroupTree) -> Iterator[GroupPlace]:
    """The nearest folder that hands the controllers down; one with processes in it cannot."""
    for folder in map(Path, tree.above):
        if set(NEEDED) <= set(_read(folder / "cgroup.subtree_control").split()):
            # A process may be moved only by who may write to the group above both.
            if os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK):
                yield GroupPlace(folder, Path(tree.own), NEEDED, unified=True)
            return


def _separate(tree: CgroupTree) -> Iterator[GroupPlace]:
    own = Path(tree.own)
    if os.access(own, os.W_OK):
        yield GroupPlace(own, own, tree.controllers, unified=False)


def _limit(folder: Path, place: GroupPlace, memory: int, processes: int) -> None:
    if "memory" in place.controllers:
        (folder / ("memory.max" if place.unified else "memory.limit_in_bytes")).write_text(str(memory))
        # Swap counts, too, where the kernel counts it.
        swap, most = ("memory.swap.max", 0) if place.unified else ("memory.memsw.limit_in_bytes", memory)
        with contextlib.suppress(OSError):
            (folder / swap).write_text(str(most))
    if "pids" in place.controllers:
        (folder / "pids.max").write_text(str(processes))


def _sweep(places: list[GroupPlace]) -> None:
    """Remove what killed runs have left: groups in which nothing is."""
    for place in places:
        for folder in place.parent.glob(f"{_NAME}*"):
            pid = folder.name.removeprefix(_NAME).partition("-")[0]
            if not Path(f"/proc/{pid}").exists():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""
