"""Finding and probing toolchains, and ranges of their versions."""

from harness.toolchain.machine import Machine, examine
from harness.toolchain.model import Capabilities, OutputName, Target, Toolchain, describe
from harness.toolchain.probe import probe
from harness.toolchain.release import Channel, RustcVersion
from harness.toolchain.spec import Located, discover, resolve, resolve_all
from harness.toolchain.tools import Tool, ask_rustup
from harness.toolchain.version import VersionRange

__all__ = [
    "Capabilities",
    "Channel",
    "Located",
    "Machine",
    "OutputName",
    "RustcVersion",
    "Target",
    "Tool",
    "Toolchain",
    "VersionRange",
    "ask_rustup",
    "describe",
    "discover",
    "examine",
    "probe",
    "resolve",
    "resolve_all",
]
