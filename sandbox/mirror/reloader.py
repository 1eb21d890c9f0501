"""A stand-in for Stakater's reloader chart, which is in no Go module.

Owns a chart of the official one's name, versions, kinds and main values keys. Does not own what the official one
renders. Every value that it does not know is refused.
"""

import json
from typing import Any

import yaml

from sandbox.mirror.archive import Chart

VERSIONS = {"2.2.15": "v1.4.20", "2.2.16": "v1.4.21"}
"""Version of the chart -> of Reloader: https://github.com/stakater/Reloader/pull/1201 and .../1205."""

_DESCRIPTION = (
    "STAND-IN for the reloader chart of oci://ghcr.io/stakater/charts, for the gke-fleet sandbox only: of the "
    "official one it has the name, the kinds of objects and some values."
)

_VALUES: dict[str, Any] = {
    "fullnameOverride": "",
    "image": {"repository": "ghcr.io/stakater/reloader", "tag": "", "pullPolicy": "IfNotPresent"},
    "reloader": {
        "autoReloadAll": False,
        "ignoreSecrets": False,
        "ignoreConfigMaps": False,
        "reloadStrategy": "default",
        "logFormat": "",
        "deployment": {"replicas": 1, "resources": {}},
    },
}

_OPEN = ("resources",)
"""Values that take any content."""

_NAME = """\
{{- define "name" -}}
{{- .Values.fullnameOverride | default (printf "%s-reloader" (trimSuffix "-reloader" .Release.Name)) -}}
{{- end -}}
{{- define "labels" -}}
app.kubernetes.io/name: reloader
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
"""

_TEMPLATE = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "name" . }}
  namespace: {{ .Release.Namespace }}
  labels: {{- include "labels" . | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "name" . }}-role
  labels: {{- include "labels" . | nindent 4 }}
rules:
  - apiGroups: [""]
    resources:
    {{- if not .Values.reloader.ignoreSecrets }}
      - secrets
    {{- end }}
    {{- if not .Values.reloader.ignoreConfigMaps }}
      - configmaps
    {{- end }}
    verbs: [list, get, watch]
  - apiGroups: [apps]
    resources: [deployments, daemonsets, statefulsets]
    verbs: [list, get, update, patch]
  - apiGroups: [""]
    resources: [events]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "name" . }}-role-binding
  labels: {{- include "labels" . | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ include "name" . }}-role}
subjects:
  - {kind: ServiceAccount, name: {{ include "name" . }}, namespace: {{ .Release.Namespace }}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "name" . }}
  namespace: {{ .Release.Namespace }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.reloader.deployment.replicas }}
  selector:
    matchLabels: {{- include "labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "labels" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "name" . }}
      securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: reloader
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args:
            - --auto-reload-all={{ .Values.reloader.autoReloadAll }}
            - --reload-strategy={{ .Values.reloader.reloadStrategy }}
          {{- with .Values.reloader.logFormat }}
            - --log-format={{ . }}
          {{- end }}
          {{- if .Values.reloader.ignoreSecrets }}
            - --resources-to-ignore=secrets
          {{- else if .Values.reloader.ignoreConfigMaps }}
            - --resources-to-ignore=configMaps
          {{- end }}
          resources: {{- toYaml .Values.reloader.deployment.resources | nindent 12 }}
"""


def charts() -> list[Chart]:
    """The chart at each of `VERSIONS`."""
    return [_chart(version, app) for version, app in VERSIONS.items()]


def _chart(version: str, app: str) -> Chart:
    meta = {
        "apiVersion": "v2",
        "name": "reloader",
        "version": version,
        "appVersion": app,
        "description": _DESCRIPTION,
        "type": "application",
    }
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_schema("", _VALUES)}
    # Helm itself gives every chart this one.
    schema["properties"]["global"] = {}
    return Chart(
        {
            "Chart.yaml": yaml.safe_dump(meta, sort_keys=False).encode(),
            "values.yaml": yaml.safe_dump(_VALUES, sort_keys=False).encode(),
            "values.schema.json": json.dumps(schema, indent=2).encode(),
            "templates/_name.tpl": _NAME.encode(),
            "templates/reloader.yaml": _TEMPLATE.encode(),
        }
    )


def _schema(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        if name in _OPEN:
            return {"type": "object"}
        properties = {key: _schema(key, inner) for key, inner in value.items()}
        return {"type": "object", "additionalProperties": False, "properties": properties}
    return {"type": {bool: "boolean", int: "integer", str: "string"}[type(value)]}
