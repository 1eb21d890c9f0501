"""Measurements, each against a named baseline in the same run (README.md here). Not part of the program."""
