"""A case: its model, the YAML it is read from, its matrix."""
