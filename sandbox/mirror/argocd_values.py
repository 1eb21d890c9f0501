"""The values of the stand-in argo-cd chart, and the schema that refuses every other.

Owns which keys of the official chart's values there are, and their defaults. Does not own what they do. The
official chart ignores a misspelt key without a word; a stand-in must not, or something tried here would not
hold there.
"""

import re
from collections.abc import Mapping
from typing import Any

COMPONENTS = {
    "controller": "argocd-application-controller",
    "server": "argocd-server",
    "repoServer": "argocd-repo-server",
    "applicationSet": "argocd-applicationset-controller",
    "notifications": "argocd-notifications-controller",
    "dex": "argocd-dex-server",
    "redis": "argocd-redis",
}
"""Values key -> name of its workload."""

ENV_KEY = {"applicationSet": "extraEnv", "notifications": "extraEnv"}
"""Where the official chart does not call a component's environment `env`."""

ENV_LAST = frozenset({"controller"})
"""Components whose own environment the official chart puts after the variables that it makes itself."""

SCALED = ("controller", "server", "repoServer", "applicationSet")
OPTIONAL = ("dex", "notifications", "redis")

UNMAPPED = re.compile(
    r".*\.k8s\.(client\.(qps|burst|max\.idle\.connections)|tcp\..+|tls\.handshake\.timeout)"
    r"|.*\.repo\.server\.(ca\.cert|client\.cert|client\.cert\.key)\.path"
    r"|controller\.hydration\.processors|reposerver\.client\.ca\.path|server\.glob\.cache\.size"
)
"""Keys of configs.params that upstream's manifests read and the official chart maps to nothing (10.1.1): they
would be without effect there, so they are refused here, unless a version of the stand-in has one of them."""

_CM = {
    "admin.enabled": True,
    "exec.enabled": False,
    "application.instanceLabelKey": "argocd.argoproj.io/instance",
    "timeout.reconciliation": "120s",
    "timeout.reconciliation.jitter": "60s",
    "timeout.hard.reconciliation": "0s",
}

_PARAMS = {
    "repo.server": "argocd-repo-server:8081",
    "server.dex.server": "https://argocd-dex-server:5556",
}


def values(cm_defaults: dict[str, str], params: Mapping[str, str]) -> dict[str, Any]:
    """The chart's values.yaml. `cm_defaults`: what upstream's manifests put into ConfigMap argocd-cm; `params`:
    defaults of configs.params that this version alone has."""
    components: dict[str, Any] = {}
    for key in COMPONENTS:
        one: dict[str, Any] = {ENV_KEY.get(key, "env"): [], "resources": {}}
        if key != "redis":
            one |= {"serviceAccount": {"annotations": {}}, "extraArgs": []}
        if key in SCALED:
            one |= {"replicas": 1, "pdb": {"enabled": False, "minAvailable": "", "maxUnavailable": ""}}
        if key in OPTIONAL:
            one["enabled"] = True
        components[key] = one
    return {
        "global": {
            "domain": "argocd.example.com",
            "image": {"tag": ""},
            "networkPolicy": {"create": True},
            "topologySpreadConstraints": [],
        },
        "crds": {
            "install": True,
            "keep": True,
            "annotations": {"argocd.argoproj.io/sync-options": "ServerSideApply=true"},
        },
        "configs": {
            "cm": {**cm_defaults, **_CM},
            "params": {**_PARAMS, **params},
            "rbac": {
                "policy.csv": "",
                "policy.default": "",
                "policy.matchMode": "glob",
                "scopes": "[groups]",
            },
        },
        **components,
        "redis-ha": {
            "enabled": False,
            "podDisruptionBudget": {},
            "topologySpreadConstraints": {
                "enabled": False,
                "maxSkew": "",
                "topologyKey": "",
                "whenUnsatisfiable": "",
            },
            "haproxy": {"podDisruptionBudget": {}},
        },
        "redisSecretInit": {"enabled": True},
    }


def schema(params: list[str]) -> dict[str, Any]:
    """The chart's values.schema.json. `params`: the keys of configs.params that a pod template reads."""
    text = {"type": ["string", "boolean", "number", "null"]}
    strings = {"type": "object", "additionalProperties": {"type": "string"}}
    truth = {"type": "boolean"}
    limit = {"type": ["integer", "string"]}
    limits = {"minAvailable": limit, "maxUnavailable": limit}
    variable = _object(
        {
            "name": {"type": "string", "minLength": 1},
            "value": {"type": "string"},
            "valueFrom": {"type": "object"},
        }
    )
    components: dict[str, Any] = {}
    for key in COMPONENTS:
        one: dict[str, Any] = {
            ENV_KEY.get(key, "env"): {"type": "array", "items": variable},
            "resources": {"type": "object"},
        }
        if key != "redis":
            one["serviceAccount"] = _object({"annotations": strings})
            one["extraArgs"] = {"type": "array", "items": {"type": "string"}}
        if key in SCALED:
            one["replicas"] = {"type": "integer", "minimum": 0}
            one["pdb"] = _object({"enabled": truth, **limits})
        if key in OPTIONAL:
            one["enabled"] = truth
        components[key] = _object(one)
    top = {
        "global": _object(
            {
                "domain": {"type": "string"},
                "image": _object({"tag": {"type": "string"}}),
                "networkPolicy": _object({"create": truth}),
                "topologySpreadConstraints": {"type": "array", "items": _SPREAD},
            }
        ),
        "crds": _object({"install": truth, "keep": truth, "annotations": strings}),
        "configs": _object(
            {
                "cm": {"type": "object", "additionalProperties": text},
                "params": _object(dict.fromkeys(sorted(params), text)),
                "rbac": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            }
        ),
        **components,
        "redis-ha": _object(
            {
                "enabled": truth,
                "podDisruptionBudget": _object(limits),
                "topologySpreadConstraints": _object(
                    {
                        "enabled": truth,
                        "maxSkew": {"type": ["integer", "string"]},
                        "topologyKey": {"type": "string"},
                        "whenUnsatisfiable": {"type": "string"},
                    }
                ),
                "haproxy": _object({"podDisruptionBudget": _object(limits)}),
            }
        ),
        "redisSecretInit": _object({"enabled": truth}),
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_object(top)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_SPREAD = {
    **_object(
        {
            "maxSkew": {"type": "integer", "minimum": 1},
            "topologyKey": {"type": "string"},
            "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
            "labelSelector": {"type": "object"},
        }
    ),
    "required": ["maxSkew", "topologyKey", "whenUnsatisfiable"],
}
