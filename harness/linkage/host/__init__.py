"""This machine: processes, folders of the user, files written whole."""
