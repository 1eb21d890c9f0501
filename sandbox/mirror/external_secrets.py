"""The official external-secrets charts, made from the upstream sources that come in its Go module.

Owns the step that upstream's own build does when it releases the chart (`hack/helm.generate.sh`): each CRD
of the bundle becomes a template, switched by the same values. Does not own fetching the sources. Left out is
the dependency on bitwarden-sdk-server, whose chart is in no Go module; it is off by default.
"""

import re
from pathlib import Path

from sandbox.mirror import upstream
from sandbox.mirror.archive import Chart

_ANNOTATIONS = """\
    {{- with .Values.crds.annotations }}
    {{- toYaml . | nindent 4}}
    {{- end }}
    {{- if and .Values.crds.conversion.enabled .Values.webhook.certManager.enabled \
.Values.webhook.certManager.addInjectorAnnotations }}
    cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "external-secrets.fullname" . }}-webhook
    {{- end }}
"""


def chart(source: Path) -> Chart:
    """The chart of `source`, a folder with upstream's `chart/` and `crds.yaml`."""
    files = upstream.packed(source / "chart")
    files.pop("templates/crds/README.md", None)
    files["Chart.yaml"] = upstream.without_missing_dependencies(files)
    served = b"unsafeServeV1Beta1" in files["values.yaml"]
    for document in (source / "crds.yaml").read_text().split("\n---\n"):
        singular = _field("singular", document)
        files[f"templates/crds/{singular}.yaml"] = crd_template(document, v1beta1_switch=served).encode()
    return Chart(files)


def crd_template(crd: str, *, v1beta1_switch: bool) -> str:
    """The template for one CRD of upstream's bundle.

    `v1beta1_switch`: whether this version of the chart can serve v1beta1 by a value. Raises ValueError where
    the CRD holds what this step does not know: a template action in a description, or a v1alpha1 version of
    a store.
    """
    kind = _field("kind", crd)
    if "{{" in crd:
        raise ValueError(f"the CRD of {kind} holds a template action")
    if ("ExternalSecret" in kind or "SecretStore" in kind) and re.search(r"^ +name: v1alpha1$", crd, re.M):
        raise ValueError(f"the CRD of {kind} has a version v1alpha1")
    body = crd.rstrip("\n") + "\n"
    if v1beta1_switch and ("ExternalSecret" in kind or "SecretStore" in kind):
        body = re.sub(
            r"(?ms)(^ +name: v1beta1$.*?^ +served: )false$",
            r"\1{{ .Values.crds.unsafeServeV1Beta1 }}",
            body,
        )
    body = body.replace("name: kubernetes\n", 'name: {{ include "external-secrets.fullname" . }}-webhook\n')
    body = body.replace("namespace: default\n", "namespace: {{ .Release.Namespace | quote }}\n")
    body = body.replace("  annotations:\n", f"  annotations:\n{_ANNOTATIONS}", 1)
    switch = (
        f"and (.Values.installCRDs) (.Values.crds.create{kind})"
        if "Cluster" in kind or "PushSecret" in kind
        else ".Values.installCRDs"
    )
    return f"{{{{- if {switch} }}}}\n{body}{{{{- end }}}}\n"


def _field(name: str, crd: str) -> str:
    found = re.search(rf"^    {name}: (\S+)$", crd, re.MULTILINE)
    if found is None:
        raise ValueError(f"a CRD without spec.names.{name}")
    return found.group(1)
