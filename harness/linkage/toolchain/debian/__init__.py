"""Toolchains from a Debian archive: resolved by apt, unpacked into a folder of ours, installed nowhere.

Distribution packagers have them at hand, and so has everyone whose network reaches a package
mirror and no server of rust-lang's.
"""
