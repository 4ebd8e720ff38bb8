"""What all tests share: the compilers of this machine, and where they are probed."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from linkage.toolchain import Located, discover, resolve_all

pytest_plugins = [
    "support.bisect_fixtures",
    "support.command_fixtures",
    "support.foreign_fixtures",
    "support.no_core_fixtures",
    "support.project_fixtures",
    "support.session_fixtures",
    "support.windows_fixtures",
]

_COMPILING = {"found_toolchains", "rustc"}

# In a job of GitHub Actions, every run would also report to it.
os.environ.pop("GITHUB_ACTIONS", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts a job in the background with SIGINT ignored, and children inherit it: tests
    # that interrupt a run would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes says how busy the machine is. All else stays as it is, in CI and elsewhere.
settings.register_profile(
    "busy", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rustc: needs a rustc (added to each test that uses one)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _COMPILING.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("rustc")


@pytest.fixture(scope="session")
def found_toolchains() -> list[Located]:
    """Every toolchain that a run without `--toolchain` would use; at least one."""
    found = resolve_all(discover(os.environ), os.environ)
    if not found:
        pytest.fail("this test needs a rustc: install a Rust toolchain, or deselect with -m 'not rustc'")
    return found


@pytest.fixture(scope="session")
def rustc(found_toolchains: list[Located]) -> Path:
    """A compiler of this machine, one that a run without `--toolchain` would use."""
    return found_toolchains[0].rustc


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where toolchains are probed once for all tests, and for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "toolchains"
