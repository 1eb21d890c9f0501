"""Argo CD's processes on this machine, as the hub's workloads say.

Owns the runner that follows Deployments, StatefulSets and Jobs in namespace argocd of the hub and keeps one
host process for each known component: same arguments, environment and ServiceAccount, addresses translated
to loopback. Does not own what is in the hub: the program and Argo CD itself put it there. Pods there are
simulated, so without this nothing would run inside them.
"""

from sandbox.argocd.client import client_environment

__all__ = ["client_environment"]
