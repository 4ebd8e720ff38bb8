"""The most recently used entries are kept."""

from linkage.artifact.cache import LruCache


def test_what_was_not_used_for_longest_goes() -> None:
    kept: LruCache[str, int] = LruCache(2)
    assert kept.get("a") is None
    assert (kept.put("a", 1), kept.put("b", 2), kept.get("a"), kept.put("c", 3)) == (1, 2, 1, 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)
    assert kept.put("c", 4) == 4
    assert (kept.get("a"), kept.get("c")) == (1, 4)
    kept.clear()
    assert kept.get("a") is None
