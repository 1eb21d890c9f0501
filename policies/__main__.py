"""What the CLI starts: serves the rules, nothing else.

The CLI runs this folder, whatever it is called, with the folder itself on the module path: so the rules are
the top-level package ``rules`` here, and ``policies.rules`` for whoever imports them from the checkout.
"""

import pulumi_policy.policy
from pulumi_policy import PolicyPack
from rules.decoding import decode_once  # type: ignore[import-not-found]  # found only when the CLI runs the folder
from rules.pack import policies  # type: ignore[import-not-found]

decode_once(pulumi_policy.policy)
PolicyPack(name="gke-fleet", policies=policies())
