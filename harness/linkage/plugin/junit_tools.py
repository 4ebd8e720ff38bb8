"""The versions of the tools of a run as properties of its JUnit XML."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage.errors import LinkageError
from linkage.host.files import OutputFile
from linkage.host.folders import cache_folder
from linkage.host.terminal import escape
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
        """Raises LinkageError if the file cannot be written."""
        self.config = config
        place = os.path.expanduser(os.path.expandvars(config.getoption("xmlpath")))  # noqa: PTH111 - as pytest
        self.file = OutputFile(place, "--junitxml", parents=True)
        self.own: dict[str, str] = {}
        """The tools that come with the toolchains of the run."""
        self.judged = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is not None:
            self.judged = True
            own: Mapping[str, str] = found.get("tools", {})
            self.own |= {f"{name} of {found['toolchain']}": version for name, version in own.items()}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Add them before pytest writes the file, and write it as every other file is."""
        plugins = self.config.pluginmanager.get_plugins()
        writers: list[Any] = [plugin for plugin in plugins if hasattr(plugin, "add_global_property")]
        if self.judged:
            self._add_versions(writers)
        with tempfile.TemporaryDirectory(prefix="linkage-junit-") as folder:
            places = [writer.logfile for writer in writers]
            for writer in writers:
                writer.logfile = f"{folder}/junit.xml"
            yield
            for writer, place in zip(writers, places, strict=True):
                self._write(Path(writer.logfile).read_bytes(), session)
                writer.logfile = place

    def _write(self, content: bytes, session: pytest.Session) -> None:
        try:
            self.file.write(content)
        except LinkageError as error:
            # Raised here, it would be a traceback.
            print(f"linkage: {escape(str(error), 2000)}", file=sys.stderr)  # noqa: T201
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _add_versions(self, writers: Sequence[Any]) -> None:
        versions = {tool.name: tool.recorded or ABSENT for tool in tools_of_machine()} | self.own
        for writer in writers:
            for name, version in versions.items():
                writer.add_global_property(name, version)
