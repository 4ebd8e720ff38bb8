"""Finding and probing toolchains, and ranges of their versions."""

from linkage.toolchain.machine import Machine, examine
from linkage.toolchain.model import Capabilities, OutputName, Target, Toolchain, describe
from linkage.toolchain.probe import probe
from linkage.toolchain.release import Channel, RustcVersion
from linkage.toolchain.spec import Located, discover, resolve, resolve_all
from linkage.toolchain.tools import Tool, ask_rustup
from linkage.toolchain.version import VersionRange

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
