"""A way into a cluster: a client of its Kubernetes API, from a kubeconfig and the environment.

Owns the proxy and the authority that the client does not find by itself. Does not own what is asked.
"""

import os
from collections.abc import Mapping
from typing import Any


def api_client(kubeconfig: Mapping[str, Any]) -> Any:
    """A `kubernetes.client.ApiClient` for a kubeconfig, given as a mapping. It does not try anything twice."""
    from kubernetes import client, config  # slow to import: only where a cluster is really asked

    settings = client.Configuration()
    config.load_kube_config_from_dict(dict(kubeconfig), client_configuration=settings)
    settings.proxy = os.environ.get("HTTPS_PROXY") or None
    settings.ssl_ca_cert = settings.ssl_ca_cert or os.environ.get("SSL_CERT_FILE")
    settings.retries = False
    return client.ApiClient(settings)
