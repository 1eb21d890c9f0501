"""The rendered difference: which objects a change of an add-on adds, changes and removes in the clusters.

Owns getting the sources, rendering them as Argo CD does, comparing object by object, and hiding what may be a
secret. Does not own which Applications differ, nor how the answer looks. A cluster is not asked: what a
server defaults, and what a chart looks up in one, is not seen.
"""

from whatif.manifests.difference import manifests
from whatif.manifests.reach import Reach, local_mirror

__all__ = ["manifests", "Reach", "local_mirror"]
