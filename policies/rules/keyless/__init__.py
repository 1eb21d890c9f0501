"""Rules about keys: nobody and nothing signs in with a secret that could be copied and used elsewhere."""

from . import (
    cluster_authentication,
    cluster_secret,
    key_admin_role,
    key_file,
    kubeconfig,
    repository_secret,
    service_account_key,
    token_secret,
)

RULES = (
    service_account_key.RULE,
    key_file.RULE,
    key_admin_role.RULE,
    cluster_secret.RULE,
    repository_secret.RULE,
    kubeconfig.RULE,
    token_secret.RULE,
    cluster_authentication.RULE,
)
