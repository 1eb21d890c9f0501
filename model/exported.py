"""What the program exports of a fleet: what will be delivered where, so that two revisions can be compared.

Owns the form of the stack's outputs, which whoever compares revisions reads of any of them: fields are added, never
renamed. Does not own the comparison (`whatif.applications`). A pure function: the same files give the same outputs
byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from model.application_set import generated_spec, shared_spec
from model.argocd import self_application_spec
from model.catalogue import Catalogue, Form
from model.gateway_budget import LIMIT, requests_per_minute
from model.load import Configuration
from model.stamping import ARGOCD, Delivery, StampedApplication, application_name, delivery


def exported(configuration: Configuration) -> dict[str, Any]:
    """The outputs of a stack, by name; what is by cluster is there for the clusters of this part alone.

    applications: what `StampedApplication.summary` says, with `values` (a digest), `removing`, and `kubernetes`, the
    minor that the manifests are rendered for.
    values: digest -> JSON text of all that decides what is delivered beside the version, as `_delivered` makes it.
    kept: names of Applications that are not there because an entry says so; what they delivered stays.
    clusters: names, in the order of the fleet file.
    gateway: predicted `requestsPerMinute` at Connect Gateway of the whole fleet, and the `limit`.
    """
    fleet, catalogue = configuration.fleet, configuration.catalogue
    held = configuration.part.clusters(fleet)
    kubernetes = {cluster.name: cluster.kubernetes for cluster in held}
    texts = _Texts(configuration)
    return {
        "applications": [
            {
                **stamped.summary(),
                "values": texts.add(stamped),
                "removing": stamped.removing,
                "kubernetes": kubernetes[stamped.cluster],
            }
            for stamped in configuration.applications
            if stamped.cluster in kubernetes
        ],
        "values": texts.by_digest,
        "kept": [
            application_name(name, cluster.name)
            for name, addon in catalogue.addons.items()
            for cluster in held
            if addon.select.takes(cluster) and delivery(cluster, name, addon) is Delivery.NONE
        ],
        "clusters": [cluster.name for cluster in held],
        "gateway": {"requestsPerMinute": requests_per_minute(fleet, catalogue), "limit": LIMIT},
    }


class _Texts:
    """Each distinct text of what is delivered, once, by its digest."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._of_addons: dict[tuple[str, bool], dict[str, Any]] = {}
        self.by_digest: dict[str, str] = {}

    def add(self, stamped: StampedApplication) -> str:
        """The digest of what an Application delivers."""
        text = json.dumps(self._content(stamped), sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.by_digest.setdefault(digest, text)
        return digest

    def _content(self, stamped: StampedApplication) -> dict[str, Any]:
        catalogue = self._configuration.catalogue
        key = (stamped.addon, stamped.removing)
        if key not in self._of_addons:
            if stamped.addon == ARGOCD:
                spec = self_application_spec(self._configuration.fleet, catalogue)
                self._of_addons[key] = _delivered(spec, Form.CHART, catalogue.argocd.repository)
            else:
                self._of_addons[key] = _of_addon(catalogue, *key)
        content = self._of_addons[key]
        return content if stamped.addon == ARGOCD else {**content, "values": stamped.values}


def _of_addon(catalogue: Catalogue, name: str, removing: bool) -> dict[str, Any]:
    addon = catalogue.addons[name]
    spec = {**shared_spec(addon), **generated_spec(catalogue, name, {}, removing=removing)}
    if removing:
        return _delivered(spec, Form.DIRECTORY, catalogue.empty_source.repository)
    return _delivered(spec, addon.form, addon.repository)


def _delivered(spec: Mapping[str, Any], form: Form, repository: str) -> dict[str, Any]:
    """What decides what an Application with this `spec` delivers, beside its version and where it goes.

    `kind` is chart, kustomize or directory; `repository` keeps the scheme oci://, which a chart's source leaves out;
    `chart` or `path` is what is taken out of it. `settings` is the rest of the spec. The address of the destination is
    left out: a cluster that is reached in another way gets the same.
    """
    source, helm = dict(spec["source"]), dict(spec["source"].get("helm", {}))
    values = helm.pop("valuesObject", {})
    named = {key: source[key] for key in ("chart", "path") if key in source}
    rest = {
        key: value
        for key, value in source.items()
        if key not in {"repoURL", "targetRevision", "helm", *named}
    }
    return {
        "kind": form.value,
        "repository": repository,
        **named,
        "namespace": spec["destination"]["namespace"],
        "values": values,
        "settings": {
            **{key: value for key, value in spec.items() if key not in {"source", "destination"}},
            **rest,
            **({"helm": helm} if helm else {}),
        },
    }
