"""The symbols at an address: in a linked file, or within a section of an object file."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from linkage.artifact.facts import Symbol, SymbolType

_NAMELESS = (SymbolType.SECTION, SymbolType.FILE, SymbolType.TLS)
_ALIASES = 256  # names of one address that are reported; real files have a few


class SymbolAddresses:
    """Symbols by address; looked up by any address within a symbol's size."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        kept = [
            symbol
            for symbol in symbols
            if symbol.defined
            and not symbol.absolute
            and symbol.name
            and symbol.type not in _NAMELESS
            and not symbol.name.startswith("$")  # a mapping symbol of the Arm ABIs: `$x`, `$d`
        ]
        self._symbols = sorted(kept, key=lambda symbol: (symbol.value, symbol.size))
        self._starts = [symbol.value for symbol in self._symbols]

    def at(self, address: int) -> tuple[str, ...]:
        """The names of the symbols that begin at an address, else of the nearest that spans it."""
        last = bisect_right(self._starts, address)
        if not last:
            return ()
        start = self._starts[last - 1]
        first = bisect_left(self._starts, start)
        here = self._symbols[first : min(last, first + _ALIASES)]
        return tuple(symbol.name for symbol in here if start == address or address < start + symbol.size)
