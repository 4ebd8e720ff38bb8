"""Where this process is in the trees of control groups, from what the kernel says of it. Pure.

cgroup v2 has one tree, in which a group's controllers are those that its parent hands down; v1 has a tree for
each controller (cgroups(7), proc_pid_mountinfo(5), and the kernel's cgroup-v2.rst and cgroup-v1/).
"""

import posixpath
import re
from dataclasses import dataclass

NEEDED = ("memory", "pids")
"""The controllers that keep the limits."""
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class CgroupTree:
    """A tree that has controllers which are needed, as far as it is mounted."""

    unified: bool
    """Whether it is that of v2."""
    controllers: tuple[str, ...]
    """Those of v1; in v2 any folder may have them."""
    top: str
    """Where it is mounted."""
    own: str
    """The folder of this process's group."""

    @property
    def above(self) -> tuple[str, ...]:
        """The own folder and those above it, up to the top."""
        found = [self.own]
        while found[-1] != self.top:
            found.append(posixpath.dirname(found[-1]))
        return tuple(found)


def cgroup_trees(mountinfo: str, groups: str) -> tuple[CgroupTree, ...]:
    """The trees of `/proc/self/mountinfo` and `/proc/self/cgroup`; other lines count for nothing."""
    own = dict(_group(line) for line in groups.splitlines() if line.count(":") >= 2)  # noqa: PLR2004 - its fields
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, of = left.split(" "), right.split(" ")
        if len(fields) < 6 or len(of) < 3 or of[0] not in ("cgroup", "cgroup2"):  # noqa: PLR2004 - as above
            continue
        root, top = map(_unescaped, fields[3:5])
        options = of[2].split(",")
        controllers = tuple(name for name in NEEDED if name in options)
        unified = of[0] == "cgroup2"
        group = own.get("" if unified else controllers[0]) if unified or controllers else None
        if group is None or not f"{group}/".startswith(root if root == "/" else f"{root}/"):
            continue  # this process is outside of what is mounted
        below = posixpath.relpath(group, root)
        found.append(CgroupTree(unified, controllers, top, posixpath.normpath(posixpath.join(top, below))))
    return tuple(found)


def _group(line: str) -> tuple[str, str]:
    """The first needed controller of a line, or "" for v2, and the group."""
    _, names, group = line.split(":", 2)
    known = [name for name in NEEDED if name in names.split(",")]
    return ("" if not names else known[0] if known else names), group


def _unescaped(field: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)


def event_count(text: str, name: str) -> int:
    """A number of a file with lines of a name and a number, as `memory.events`; 0 if it is not there."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0
