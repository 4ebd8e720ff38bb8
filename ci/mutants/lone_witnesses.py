"""The faults that only one case can detect, each with the reason."""

from collections.abc import Mapping

ONE_PLACE: Mapping[str, str] = {
    "oom-ignored": "-Zoom was removed in 1.92 and did one thing, which the one case about it states",
}
