"""Faults in the exit status and in the diagnostics of rustc."""

import json
from collections.abc import Callable
from typing import Any

from mutants.faults.call import Call
from mutants.faults.fault import Fault

_CRASHED = 101


def _compiles(call: Call) -> bool:
    return call.compiles


def _of_diagnostic(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    """Change the diagnostics, of which rustc writes one per line as JSON."""

    def said(line: str) -> str:
        try:
            found = json.loads(line)
        except ValueError:
            return line
        if not isinstance(found, dict) or "message" not in found:
            return line
        change(found)
        return json.dumps(found) + "\n"

    return said


def _reworded(found: dict[str, Any]) -> None:
    for key in ("message", "rendered"):
        found[key] = "error: something went wrong\n" if found.get(key) else found.get(key)
    found["children"] = []


def _without_code(found: dict[str, Any]) -> None:
    code = found.get("code")
    if code:
        found["code"] = None
        found["rendered"] = str(found.get("rendered") or "").replace(f"[{code.get('code')}]", "")


def _milder(found: dict[str, Any]) -> None:
    if found.get("level") == "error":
        found["level"] = "warning"
        found["rendered"] = str(found.get("rendered") or "").replace("error", "warning", 1)


def _without_libraries(found: dict[str, Any]) -> None:
    for key in ("message", "rendered"):
        text = str(found.get(key) or "")
        if "native-static-libs:" in text:
            found[key] = text.partition("native-static-libs:")[0] + "native-static-libs:\n"


WARNING = json.dumps(
    {
        "$message_type": "diagnostic",
        "message": "a warning without a cause",
        "code": None,
        "level": "warning",
        "spans": [],
        "children": [],
        "rendered": "warning: a warning without a cause\n",
    }
)

FAULTS = (
    Fault(
        "success-after-failure",
        "exit status 0 after a failure",
        _compiles,
        ("exit",),
        status=lambda _: 0,
        on="failure",
    ),
    Fault(
        "failure-after-success",
        "exit status 1 after a success",
        _compiles,
        ("exit",),
        status=lambda _: 1,
    ),
    Fault(
        "crash-for-error",
        "a crash instead of an error",
        _compiles,
        ("exit",),
        status=lambda _: _CRASHED,
        on="failure",
    ),
    Fault(
        "message-changed",
        "an error with another message",
        _compiles,
        ("diagnostics", "stderr"),
        said=_of_diagnostic(_reworded),
        on="failure",
    ),
    Fault(
        "message-lost",
        "an error without a message",
        _compiles,
        ("diagnostics", "stderr"),
        said=lambda _: "",
        on="failure",
    ),
    Fault(
        "error-code-lost",
        "an error without its code",
        _compiles,
        ("diagnostics",),
        said=_of_diagnostic(_without_code),
        on="failure",
    ),
    Fault(
        "error-is-warning",
        "an error is reported as a warning",
        _compiles,
        ("diagnostics",),
        said=_of_diagnostic(_milder),
        on="failure",
    ),
    Fault(
        "warning-lost",
        "a warning is missing",
        _compiles,
        ("diagnostics", "stderr"),
        said=lambda line: "" if '"level":"warning"' in line else line,
    ),
    Fault(
        "warns-without-cause",
        "a warning without a cause",
        _compiles,
        ("stderr",),
        said=lambda line: line,
    ),
    Fault(
        "rlink-unchecked",
        "rust-lang/rust#95297: any file is accepted as an .rlink",
        lambda call: call.link_only,
        ("exit",),
        status=lambda _: 0,
        on="failure",
    ),
    Fault(
        "native-static-libs-lost",
        "the libraries that a staticlib needs are not reported",
        lambda call: call.compiles and call.has("native-static-libs*", "--print=native-static-libs*"),
        ("native-static-libs", "exit"),
        said=_of_diagnostic(_without_libraries),
    ),
    Fault(
        "print-ignored",
        "--print prints nothing",
        lambda call: call.compiles and call.has("--print", "--print=*"),
        ("stdout", "native-static-libs"),
        argv=lambda call: [
            word for word in call.without_option("--print") if not word.startswith("--print=")
        ],
    ),
)
