"""What a text for others must not show: folders of this machine, its name, and its mirror. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_BOUND = r"(?![\w.-])"


@dataclass(frozen=True, slots=True)
class Redaction:
    """Texts that are private, and what is written instead: a variable's name, mostly."""

    folders: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def apply(self, text: str) -> str:
        """The text without what is private; the longest folder first."""
        for private in sorted(self.folders, key=len, reverse=True):
            text = self.folders[private].join(re.split(f"{re.escape(private)}{_BOUND}", text))
        for private, instead in self.words.items():
            text = instead.join(re.split(rf"(?<![\w.-]){re.escape(private)}{_BOUND}", text))
        return text
