"""A stand-in for the argo-cd chart of argo-helm, made from the manifests of Argo CD's Go module.

Owns turning upstream's `install.yaml` into a chart with the names, ServiceAccounts, arguments and values
keys of the official one, at two versions. Does not own the values themselves. The official chart is in no Go
module, so it cannot be had here; what the program uses of it can be tried with this one, and every other key
is refused.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.mirror import argocd_redis_ha as redis_ha
from sandbox.mirror.archive import Chart
from sandbox.mirror.argocd_template import Template, when
from sandbox.mirror.argocd_values import (
    COMPONENTS,
    ENV_KEY,
    ENV_LAST,
    OPTIONAL,
    SCALED,
    UNMAPPED,
    schema,
    values,
)


@dataclass(frozen=True, kw_only=True)
class Version:
    """What differs from one version of the chart to another.

    Attributes:
        chart: version of the chart. app: version of Argo CD that it names; both versions have upstream's manifests
        of the one version that was built here.
        params: keys of configs.params that this version maps, of those that no version does otherwise
        (`UNMAPPED`) -> their default.
    """

    chart: str
    app: str
    params: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, key: str) -> bool:
        """Whether no pod template reads this key of configs.params."""
        return UNMAPPED.fullmatch(key) is not None and key not in self.params


VERSIONS = (
    Version(chart="10.3.3", app="v3.5.1"),
    # That it maps this key, and the number, is made up: it stands for what a later chart brings, so that an upgrade
    # and the way back can be seen in a process.
    Version(chart="10.9.0", app="v3.5.2", params={"server.glob.cache.size": "4096"}),
)

_DESCRIPTION = (
    "STAND-IN for the argo-cd chart of https://argoproj.github.io/argo-helm, for the gke-fleet sandbox only: made "
    "from upstream's manifests, with the values keys that the fleet uses."
)

_ARGUMENTS = {
    "controller": ["--metrics-port=8082"],
    "server": ["--port=8080", "--metrics-port=8083"],
    "repoServer": ["--port=8081", "--metrics-port=8084"],
    "applicationSet": ["--metrics-addr=:8080", "--probe-addr=:8081", "--webhook-addr=:7000"],
    "notifications": ["--metrics-port=9001", "--namespace={{ .Release.Namespace }}"],
}
"""What the official chart adds to a component's program."""

_CHECKSUMS = {
    "controller": ("cmd-params", "cm"),
    "server": ("cmd-params", "cm"),
    "repoServer": ("cmd-params", "cm"),
    "applicationSet": ("cmd-params",),
    "notifications": ("cmd-params",),
    "dex": ("cmd-params",),
}
"""Which ConfigMaps roll a component's pods when they change."""

_IMAGE = "quay.io/argoproj/argocd:{{ .Values.global.image.tag | default .Chart.AppVersion }}"

_REDIS_HA = '(index .Values "redis-ha").enabled'

_SPREAD_OF_REDIS = """\
{{- with (index .Values "redis-ha").topologySpreadConstraints }}{{ if .enabled }}
@topologySpreadConstraints:
@  - maxSkew: {{ .maxSkew | default 1 }}
@    topologyKey: {{ .topologyKey | default "topology.kubernetes.io/zone" }}
@    whenUnsatisfiable: {{ .whenUnsatisfiable | default "ScheduleAnyway" }}
@    labelSelector:
@      matchLabels: LABELS
@{{- end }}{{ end }}"""

_SPREAD = """\
{{- with .Values.global.topologySpreadConstraints }}
@topologySpreadConstraints:
@  {{- range . }}
@  - {{- toYaml . | nindent #4 }}
@    {{- if not .labelSelector }}
@    labelSelector:
@      matchLabels: LABELS
@    {{- end }}
@  {{- end }}
@{{- end }}"""

_EXEC = """\
{{- if eq (toString (index .Values.configs.cm "exec.enabled")) "true" }}
@- apiGroups: [""]
@  resources: [pods/exec]
@  verbs: [create]
@{{- end }}"""
"""The rule that the server's roles get with the terminal."""

_INIT = "argocd-redis-secret-init"

_MADE_HERE = {
    ("ConfigMap", "argocd-cm"),
    ("ConfigMap", "argocd-cmd-params-cm"),
    ("ConfigMap", "argocd-rbac-cm"),
}


_LABELS = {
    "helm.sh/chart": "{{ .Chart.Name }}-{{ .Chart.Version }}",
    "app.kubernetes.io/instance": "{{ .Release.Name }}",
    "app.kubernetes.io/managed-by": "{{ .Release.Service }}",
    "app.kubernetes.io/version": (
        '{{ .Values.global.image.tag | default .Chart.AppVersion | replace "@" "-" | replace ":" "-" | trunc 63 '
        '| trimSuffix "-" | quote }}'
    ),
}
"""On every object, and on the pods too: with them every component is rolled when the chart's version changes."""


def charts(install: Path) -> list[Chart]:
    """The chart at each of `VERSIONS`, from upstream's `install.yaml`."""
    objects = [one for one in yaml.load_all(install.read_text(), Loader=yaml.CSafeLoader) if one]
    return [_chart(version, copy.deepcopy(objects)) for version in VERSIONS]


def _chart(version: Version, objects: list[dict[str, Any]]) -> Chart:
    """The chart at a version, from upstream's objects, which it changes."""
    cm = next(one for one in objects if _id(one) == ("ConfigMap", "argocd-cm"))["data"]
    files = {
        "Chart.yaml": yaml.safe_dump(
            {
                "apiVersion": "v2",
                "name": "argo-cd",
                "version": version.chart,
                "appVersion": version.app,
                "description": _DESCRIPTION,
                "type": "application",
                "kubeVersion": ">=1.25.0-0",
            },
            sort_keys=False,
        ),
        "README.md": f"# argo-cd\n\n{_DESCRIPTION}\n",
        "values.yaml": yaml.dump(values(cm, version.params), Dumper=yaml.CSafeDumper, sort_keys=False),
        "values.schema.json": json.dumps(schema(sorted(_params(version, objects))), indent=1, sort_keys=True),
        **_own_templates(),
    }
    for one in objects:
        kind, name = _id(one)
        if (kind, name) in _MADE_HERE or (
            name == "argocd-redis" and kind in ("ServiceAccount", "Role", "RoleBinding")
        ):
            continue
        files[f"templates/{name}-{kind.lower()}.yaml"] = _switched(one, _template(version, one))
    for one in redis_ha.objects():
        kind, name = _id(one)
        files[f"templates/{name}-{kind.lower()}.yaml"] = when(_REDIS_HA, _redis_ha(one))
    files |= {f"templates/{name}-poddisruptionbudget.yaml": text for name, text in _budgets().items()}
    return Chart({path: text.encode() for path, text in files.items()})


def _id(one: dict[str, Any]) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]


def _pods(objects: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for one in objects:
        if one["kind"] in ("Deployment", "StatefulSet"):
            yield one["spec"]["template"]["spec"]


def _params(version: Version, objects: list[dict[str, Any]]) -> set[str]:
    """Every key of argocd-cmd-params-cm that some pod template of the chart reads."""
    keys = {
        _param(variable)
        for pod in _pods(objects)
        for container in pod["containers"]
        for variable in container.get("env", [])
    }
    return {key for key in keys if key and not version.lacks(key)}


def _param(variable: dict[str, Any]) -> str:
    """The key of argocd-cmd-params-cm that a variable of a container reads, or ""."""
    reference = (variable.get("valueFrom") or {}).get("configMapKeyRef", {})
    return str(reference["key"]) if reference.get("name") == "argocd-cmd-params-cm" else ""


def _switched(one: dict[str, Any], text: str) -> str:
    """`text` under the value that switches the object off in the official chart."""
    kind, name = _id(one)
    if kind == "CustomResourceDefinition":
        return when(".Values.crds.install", text)
    switches = [
        f".Values.{key}.enabled"
        for key in OPTIONAL
        if name.startswith(COMPONENTS[key])
        or (key == "notifications" and name.startswith("argocd-notifications"))
    ]
    if name.startswith(COMPONENTS["redis"]):
        switches.append(f"(not {_REDIS_HA})")
    if kind == "NetworkPolicy":
        switches.append(".Values.global.networkPolicy.create")
    return when(f"and {' '.join(switches)}", text) if switches else text


def _redis_ha(one: dict[str, Any]) -> str:
    """The template of an object of Redis in three."""
    template = Template(one)
    one["metadata"]["namespace"] = template.action("{{ .Release.Namespace }}")
    if one["kind"] in ("StatefulSet", "Deployment"):
        labels = json.dumps(one["spec"]["selector"]["matchLabels"])
        one["spec"]["template"]["spec"][template.action(_SPREAD_OF_REDIS.replace("LABELS", labels))] = ""
    return template.text()


def _budget(name: str, labels: dict[str, str]) -> tuple[dict[str, Any], Template]:
    """A disruption budget without its limits."""
    made: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "spec": {"selector": {"matchLabels": labels}},
    }
    template = Template(made)
    made["metadata"]["namespace"] = template.action("{{ .Release.Namespace }}")
    return made, template


def _budgets() -> dict[str, str]:
    """Name -> template of every disruption budget."""
    found: dict[str, str] = {}
    for key in SCALED:
        name, value = COMPONENTS[key], f".Values.{key}.pdb"
        made, template = _budget(name, {"app.kubernetes.io/name": name})
        limit = (
            f"{{{{- if {value}.maxUnavailable }}}}\n@maxUnavailable: {{{{ {value}.maxUnavailable }}}}\n"
            f"@{{{{- else }}}}\n@minAvailable: {{{{ {value}.minAvailable | default 0 }}}}\n@{{{{- end }}}}"
        )
        made["spec"][template.action(limit)] = ""
        found[name] = when(f"{value}.enabled", template.text())
    for name, below in ((redis_ha.NAME, ""), (redis_ha.PROXY, ".haproxy")):
        value = f'(index .Values "redis-ha"){below}.podDisruptionBudget'
        made, template = _budget(f"{name}-pdb", redis_ha.selector(name))
        made["spec"][template.items(value)] = ""
        found[name] = when(f"and {_REDIS_HA} {value}", template.text())
    return found


def _template(version: Version, one: dict[str, Any]) -> str:
    template = Template(one)
    kind, name = _id(one)
    _label(one["metadata"], template)
    if kind == "CustomResourceDefinition":
        keep = template.action("{{- if .Values.crds.keep }}\n@helm.sh/resource-policy: keep\n@{{- end }}")
        one["metadata"]["annotations"] = {
            **one["metadata"].get("annotations", {}),
            keep: "",
            template.items(".Values.crds.annotations"): "",
        }
        return template.text()
    if kind not in ("ClusterRole", "ClusterRoleBinding"):
        one["metadata"]["namespace"] = template.action("{{ .Release.Namespace }}")
    for subject in one.get("subjects", []):
        subject["namespace"] = template.action("{{ .Release.Namespace }}")
    if kind in ("Role", "ClusterRole") and name == COMPONENTS["server"]:
        one["rules"].append(template.action(_EXEC))
    component = next((key for key, workload in COMPONENTS.items() if workload == name), None)
    if kind == "ServiceAccount" and component is not None:
        annotations = template.entry("annotations", f".Values.{component}.serviceAccount.annotations")
        one["metadata"][annotations] = ""
    if kind in ("Deployment", "StatefulSet") and component is not None:
        _workload(version, one, component, template)
    return template.text()


def _label(metadata: dict[str, Any], template: Template) -> None:
    metadata.setdefault("labels", {}).update(
        {label: template.action(text) for label, text in _LABELS.items()}
    )


def _workload(version: Version, one: dict[str, Any], component: str, template: Template) -> None:
    """Give a Deployment or StatefulSet what the chart's version and the component's values change."""
    pod = one["spec"]["template"]
    _label(pod["metadata"], template)
    if component in SCALED:
        one["spec"]["replicas"] = template.action(f"{{{{ .Values.{component}.replicas }}}}")
    if checks := _CHECKSUMS.get(component):
        pod["metadata"]["annotations"] = {
            f"checksum/{check}": template.action(
                f'{{{{ include (print $.Template.BasePath "/argocd-{check}'
                f'{"-cm" if check != "cm" else ""}.yaml") . | sha256sum }}}}'
            )
            for check in checks
        }
    for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        if container["image"].startswith("quay.io/argoproj/argocd:"):
            container["image"] = template.action(_IMAGE)
            container["imagePullPolicy"] = "IfNotPresent"
    labels = json.dumps(one["spec"]["selector"]["matchLabels"])
    pod["spec"][template.action(_SPREAD.replace("LABELS", labels))] = ""
    main = pod["spec"]["containers"][0]
    main["env"] = [variable for variable in main.get("env", []) if not version.lacks(_param(variable))]
    if component == "redis":
        # The official chart makes the password in a Job, and its Redis runs under the default account.
        pod["spec"].pop("initContainers")
        pod["spec"]["serviceAccountName"] = "default"
    else:
        more = template.items(f".Values.{component}.extraArgs")
        key = "args" if "args" in main else "command"
        main[key] += [*(template.action(text) for text in _ARGUMENTS.get(component, [])), more]
    if component == "controller":
        for variable in main["env"]:
            if variable["name"] == "ARGOCD_CONTROLLER_REPLICAS":
                variable["value"] = template.action("{{ .Values.controller.replicas | quote }}")
    own = template.items(f".Values.{component}.{ENV_KEY.get(component, 'env')}")
    main["env"] = [*main["env"], own] if component in ENV_LAST else [own, *main["env"]]
    main[template.entry("resources", f".Values.{component}.resources")] = ""


def _own_templates() -> dict[str, str]:
    """Templates whose content comes from the values alone."""
    return {
        "templates/argocd-cm.yaml": _config_map("argocd-cm", ".Values.configs.cm", _CM_MORE),
        "templates/argocd-cmd-params-cm.yaml": _config_map(
            "argocd-cmd-params-cm", ".Values.configs.params", _PARAMS_MORE
        ),
        "templates/argocd-rbac-cm.yaml": _config_map("argocd-rbac-cm", ".Values.configs.rbac"),
        "templates/redis-secret-init.yaml": when(
            ".Values.redisSecretInit.enabled", "---\n".join(_secret_init())
        ),
        "templates/release.yaml": (
            '{{- if ne .Release.Name "argocd" }}\n'
            '{{- fail "this stand-in chart knows the release name argocd only: the official chart derives names '
            'from the release, which it does not" }}\n'
            "{{- end }}\n"
        ),
    }


_PARAMS_MORE = """\
  {{- if not (hasKey .Values.configs.params "redis.server") }}
  redis.server: argocd-redis{{ if (index .Values "redis-ha").enabled }}-ha-haproxy{{ end }}:6379
  {{- end }}
  {{- if and (gt (int .Values.applicationSet.replicas) 1) \
(not (hasKey .Values.configs.params "applicationsetcontroller.enable.leader.election")) }}
  applicationsetcontroller.enable.leader.election: "true"
  {{- end }}
"""


_CM_MORE = """\
  {{- if not (hasKey .Values.configs.cm "url") }}
  url: {{ printf "https://%s" .Values.global.domain | quote }}
  {{- end }}
"""


def _config_map(name: str, value: str, more: str = "") -> str:
    labels = "".join(f"    {label}: {text}\n" for label, text in _LABELS.items())
    dropped = ' (or $.Values.dex.enabled (ne $key "server.dex.server"))' if "params" in value else ""
    return (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        f"  name: {name}\n"
        "  namespace: {{ .Release.Namespace }}\n"
        "  labels:\n"
        f"    app.kubernetes.io/name: {name}\n"
        "    app.kubernetes.io/part-of: argocd\n"
        f"{labels}"
        "data:\n"
        f"  {{{{- range $key, $one := {value} }}}}\n"
        f'  {{{{- if and (ne (kindOf $one) "invalid") (ne (toString $one) "") {dropped} }}}}\n'
        "  {{ $key }}: {{ toString $one | quote }}\n"
        "  {{- end }}\n"
        "  {{- end }}\n"
        f"{more}"
    )


def _secret_init() -> list[str]:
    """The hook that makes Secret argocd-redis: ServiceAccount, Role, RoleBinding, Job, as in the official
    chart."""
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["argocd-redis"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]
    api = "rbac.authorization.k8s.io"
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount"},
        {"apiVersion": f"{api}/v1", "kind": "Role", "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": api, "kind": "Role", "name": _INIT},
            "subjects": [{"kind": "ServiceAccount", "name": _INIT}],
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "spec": {
                "ttlSecondsAfterFinished": 60,
                "template": {
                    "metadata": {"labels": {"app.kubernetes.io/name": _INIT}},
                    "spec": {
                        "restartPolicy": "OnFailure",
                        "serviceAccountName": _INIT,
                        "containers": [
                            {
                                "name": "secret-init",
                                "image": "IMAGE",
                                "imagePullPolicy": "IfNotPresent",
                                "command": ["argocd", "admin", "redis-initial-password"],
                            }
                        ],
                    },
                },
            },
        },
    ]
    texts = []
    for one in objects:
        template = Template(one)
        one["metadata"] = {
            "name": _INIT,
            "namespace": template.action("{{ .Release.Namespace }}"),
            "labels": {"app.kubernetes.io/name": _INIT, "app.kubernetes.io/part-of": "argocd"},
            "annotations": {
                "helm.sh/hook": "pre-install,pre-upgrade",
                "helm.sh/hook-delete-policy": "before-hook-creation",
            },
        }
        for subject in one.get("subjects", []):
            subject["namespace"] = template.action("{{ .Release.Namespace }}")
        if one["kind"] == "Job":
            one["spec"]["template"]["spec"]["containers"][0]["image"] = template.action(_IMAGE)
        texts.append(template.text())
    return texts
