"""Loads the plugin; nothing else."""

pytest_plugins = ["linkage.plugin"]
