"""The values of --regress: what `bad` means in a bisection. Pure."""

from collections.abc import Mapping

FAILURE = ("failed", "error", "fixed")
"""The regressions that are a failure, recognized by its signature."""
OUTCOMES: Mapping[str, str] = {
    "success": "it succeeds",
    "ice": "rustc crashes",
    "non-ice": "rustc does not crash",
    "non-error": "it succeeds, or rustc crashes",
}
CHANGED = "changed"
REGRESSIONS = ("failed", "fixed", "error", *OUTCOMES, CHANGED)
