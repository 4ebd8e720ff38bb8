"""The faults that only one case can detect, each with the reason."""

from collections.abc import Mapping

ONE_PLACE: Mapping[str, str] = {}
