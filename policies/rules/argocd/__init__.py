"""Argo CD's Application and ApplicationSet, read as far as rules need it. Owns no rule."""
