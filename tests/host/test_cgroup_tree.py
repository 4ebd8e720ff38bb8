"""Where a process is in the trees of control groups."""

from hypothesis import given
from hypothesis import strategies as st

from linkage.host.cgroup_tree import CgroupTree, cgroup_trees, event_count

SEPARATE = r"""
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:32 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
39 31 0:36 /docker/a1 /sys/fs/cgroup/the\040pids rw shared:9 - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""


def test_trees_of_v1_beside_that_of_v2() -> None:
    groups = "8:pids:/docker/a1/x\n4:memory:/api/one\n2:name=systemd:/\n1:cpu:/\n0::/\n"
    assert cgroup_trees(SEPARATE, groups) == (
        CgroupTree(False, ("memory",), "/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/api/one"),  # noqa: FBT003 - a table
        CgroupTree(False, ("pids",), "/sys/fs/cgroup/the pids", "/sys/fs/cgroup/the pids/x"),  # noqa: FBT003 - likewise
        CgroupTree(True, (), "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified"),  # noqa: FBT003 - likewise
    )


def test_the_folders_above_the_own() -> None:
    line = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
    (tree,) = cgroup_trees(line, "0::/user.slice/app.slice/run.scope")
    assert tree.above == (
        "/sys/fs/cgroup/user.slice/app.slice/run.scope",
        "/sys/fs/cgroup/user.slice/app.slice",
        "/sys/fs/cgroup/user.slice",
        "/sys/fs/cgroup",
    )


def test_a_process_outside_of_what_is_mounted_is_nowhere() -> None:
    line = "39 31 0:36 /docker/a1 /mnt rw - cgroup2 cgroup2 rw"
    assert cgroup_trees(line, "0::/docker/a11") == ()
    assert cgroup_trees(line, "8:pids:/docker/a1") == ()


@given(st.text(), st.text())
def test_any_text(mountinfo: str, groups: str) -> None:
    assert isinstance(cgroup_trees(mountinfo, groups), tuple)


def test_numbers_of_events() -> None:
    assert event_count("low 0\noom 3\noom_kill 2\n", "oom_kill") == 2
    assert event_count("oom_kill_disable 0\n", "oom_kill") == 0
    assert event_count("max many\n", "max") == 0
