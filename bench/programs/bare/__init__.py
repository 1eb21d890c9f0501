"""Plain resources; the CLI runs the folder."""
