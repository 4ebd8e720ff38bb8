"""What a bisection tells of how far it is."""

from linkage.bisect.progress import BisectProgress


def test_a_download_its_speed_and_what_is_left() -> None:
    now, told = [100.0], []
    progress = BisectProgress(lambda *line: told.append(line), clock=lambda: now[0])
    progress.toolchain_begins()
    progress.begin("nightly-2026-01-01", "preparing")
    progress.received("nightly-2026-01-01", "u/rustc", 10_000_000, 60_000_000)
    assert told[-1] == ("nightly-2026-01-01: downloading 10.0 of 60.0 MB", "")
    now[0] += 2
    progress.received("nightly-2026-01-01", "u/rustc", 30_000_000, 60_000_000)
    progress.received("nightly-2026-01-02", "u/other", 5_000_000, None)
    # What was there before this download says nothing about its speed.
    assert told[-1] == (
        "nightly-2026-01-01: downloading 30.0 of 60.0 MB, 10.0 MB/s",
        "nightly-2026-01-02: downloading 5.0 MB",
    )
    progress.ended("nightly-2026-01-01", "u/rustc")
    progress.ended("nightly-2026-01-02", "u/other")
    progress.begin("nightly-2026-01-01", "installing")
    assert told[-1] == ("nightly-2026-01-01: installing", "")
    now[0] += 58
    progress.toolchain_ends()
    progress.remaining(5)
    assert told[-1] == ("nightly-2026-01-01: installing; at most 5 more toolchains, about 5 min", "")
    progress.remaining(1)
    assert told[-1][0].endswith("; at most 1 more toolchain, about 1 min")


def test_what_is_fetched_ahead_is_told_before_anything_is_needed() -> None:
    told: list[tuple[str, str]] = []
    progress = BisectProgress(lambda *line: told.append(line), clock=lambda: 1.0)
    progress.received("nightly-2026-01-02", "u", 5_000_000, 6_000_000)
    assert told == [("nightly-2026-01-02: downloading 5.0 of 6.0 MB", "")]
