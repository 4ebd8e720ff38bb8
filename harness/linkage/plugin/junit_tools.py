"""The versions of the tools of a run as properties of its JUnit XML."""

import os
from typing import TYPE_CHECKING

import pytest

from linkage.host.folders import cache_folder
from linkage.plugin.properties import verdict_of
from linkage.toolchain import Tool, ask_rustup, examine
from linkage.toolchain.tools import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping


def tools_of_machine() -> tuple[Tool, ...]:
    """The C compiler, the linkers, the archiver and rustup, including those that are absent."""
    cache = cache_folder(os.environ)
    return (*examine(cache, os.environ).tools, ask_rustup(cache, os.environ))


class JUnitTools:
    """A plugin that adds the version of each tool to the test suite as a property."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.own: dict[str, str] = {}
        """The tools that come with the toolchains of the run."""
        self.judged = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is not None:
            self.judged = True
            own: Mapping[str, str] = found.get("tools", {})
            self.own |= {f"{name} of {found['toolchain']}": version for name, version in own.items()}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Add them before pytest writes the file."""
        writers = [
            plugin for plugin in self.config.pluginmanager.get_plugins()
            if hasattr(plugin, "add_global_property")
        ]  # fmt: skip
        if not writers or not self.judged:
            return
        versions = {tool.name: tool.recorded or ABSENT for tool in tools_of_machine()} | self.own
        for writer in writers:
            for name, version in versions.items():
                writer.add_global_property(name, version)
