"""A variant as commands and file operations, and their outcomes. Pure."""
