"""Tests of the project that an owner runs once."""
