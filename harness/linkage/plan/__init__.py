"""A variant as commands and file operations, and what became of them. Pure."""
