"""The policy pack.

Owns the rules; knows nothing of this project's model or components, so it can be published alone.
"""
