"""The sandbox's mirror of the repositories that a fleet delivers from: Helm charts over HTTP, Git, and
an OCI registry, on loopback.

Owns what it serves and under which paths (those of the upstream hosts). Does not own the name and the
certificate under which the fleet reaches it: the sandbox's cloud puts those in front. What it does not have
it says, with a list of what it has.
"""

from sandbox.mirror.content import make

__all__ = ["make"]
