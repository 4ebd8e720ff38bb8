"""Toolchains: finding them, asking them what they can do, version ranges."""
