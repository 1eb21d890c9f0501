"""What the CLI starts: serves the rules, nothing else.

The CLI runs this folder, whatever it is called, with the folder itself on the module path: so the rules are
the top-level package ``rules`` here, and ``policies.rules`` for whoever imports them from the checkout.
"""

from pulumi_policy import PolicyPack
from rules.pack import policies  # type: ignore[import-not-found]  # found only when the CLI runs the folder

PolicyPack(name="gke-fleet", policies=policies())
