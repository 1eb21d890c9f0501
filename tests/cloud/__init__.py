"""Tests of the sandbox's cloud."""
