"""The JUnit XML of a run: the versions of its tools, and the facts of each verdict, as properties.

pytest writes the file. It would write a verdict as one property, the text of a mapping, and name a test by
its folder alone: what viewers group, search and show is put in its place here.
"""

import os
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linkage.errors import LinkageError
from linkage.host.files import OutputFile
from linkage.host.folders import cache_folder
from linkage.host.terminal import escape
from linkage.plugin.properties import VERDICT, verdict_of
from linkage.toolchain import Tool, ask_rustup, examine
from linkage.toolchain.tools import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUE = 2000
"""Characters of a property."""


def tools_of_machine() -> tuple[Tool, ...]:
    """The C compiler, the linkers, the archiver and rustup, including those that are absent."""
    cache = cache_folder(os.environ)
    return (*examine(cache, os.environ).tools, ask_rustup(cache, os.environ))


class JUnitFile:
    """A plugin that adds the version of each tool to the test suite as a property."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises LinkageError if the file cannot be written."""
        self.config = config
        place = os.path.expanduser(os.path.expandvars(config.getoption("xmlpath")))  # noqa: PTH111 - as pytest
        self.file = OutputFile(place, "--junitxml", parents=True)
        self.own: dict[str, str] = {}
        """The tools that come with the toolchains of the run."""
        self.verdicts: list[tuple[str, Mapping[str, Any]]] = []
        """The node ids and verdicts, by the number that stands for them in what pytest writes."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = verdict_of(report.user_properties)
        if found is not None:
            number = _Numbered(found, len(self.verdicts))
            report.user_properties = [
                (name, number if name == VERDICT else value) for name, value in report.user_properties
            ]
            self.verdicts.append((report.nodeid, found))
            own: Mapping[str, str] = found.get("tools", {})
            self.own |= {f"{name} of {found['toolchain']}": version for name, version in own.items()}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Add them before pytest writes the file, and write it as every other file is."""
        plugins = self.config.pluginmanager.get_plugins()
        writers: list[Any] = [plugin for plugin in plugins if hasattr(plugin, "add_global_property")]
        if self.verdicts:
            self._add_versions(writers)
        with tempfile.TemporaryDirectory(prefix="linkage-junit-") as folder:
            places = [writer.logfile for writer in writers]
            for writer in writers:
                writer.logfile = f"{folder}/junit.xml"
            yield
            for writer, place in zip(writers, places, strict=True):
                self._write(self._with_facts(Path(writer.logfile).read_bytes()), session)
                writer.logfile = place

    def _with_facts(self, content: bytes) -> bytes:
        if not self.verdicts:
            return content
        root = ET.fromstring(content)  # noqa: S314 - pytest wrote it
        for test in root.iter("testcase"):
            for listed in test.findall("properties"):
                for found in listed.findall(f"property[@name='{VERDICT}']"):
                    listed.remove(found)
                    node, verdict = self.verdicts[int(found.get("value", ""))]
                    for name, value in junit_facts(verdict):
                        ET.SubElement(listed, "property", name=name, value=value)
                    _name(test, node)
                    _shorten(test)
        written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return written

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


class _Numbered(dict[str, Any]):
    """A verdict that pytest writes as its number."""

    def __init__(self, verdict: "Mapping[str, Any]", number: int) -> None:
        super().__init__(verdict)
        self.number = number

    def __str__(self) -> str:
        return str(self.number)


def junit_facts(verdict: "Mapping[str, Any]") -> Iterator[tuple[str, str]]:
    """The facts of a verdict as properties. The evidence is the text of the failure, and none of them."""
    yield "outcome", str(verdict["outcome"])
    for name in ("reason", "toolchain", "version", "cell", "obtained"):
        if verdict[name]:
            yield name, escape(str(verdict[name]), _VALUE)
    yield "cached", "true" if verdict["stored"] else "false"
    for bug in verdict["bugs"]:
        yield "known-bug", escape(bug["name"], _VALUE)
    for failure in verdict["failures"]:
        claim = ": ".join(part for part in (failure["step"], failure["claim"]) if part)
        yield "error" if failure["error"] else "failed-claim", escape(f"{failure['where']}: {claim}", _VALUE)


def _name(test: ET.Element, node: str) -> None:
    """Viewers group by what is before the last dot of `classname`, and open `file`."""
    case, _, name = node.partition("::")
    test.set("classname", case.removesuffix(".yaml").replace("/", "."))
    test.set("name", name)
    test.set("file", case)


def _shorten(test: ET.Element) -> None:
    """Pytest repeats the whole text of a failure as its message: leave the first line of it."""
    for failure in (*test.findall("failure"), *test.findall("error")):
        failure.set("message", failure.get("message", "").partition("\n")[0])
