"""APIs of a project, and the service agents that come with them."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import PROJECT_RULE, SERVICE_RULE
from plugins.gcp.types.kind import GcpType, Inputs, Numbers

SERVICE = "gcp:projects/service:Service"
SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

_AGENTS = {
    "gkehub.googleapis.com": "gcp-sa-gkehub",
    "container.googleapis.com": "container-engine-robot",
    "mesh.googleapis.com": "gcp-sa-servicemesh",
}


def service_agent(service: str, number: str) -> str:
    """E-mail of Google's service agent for `service` (full API name) in the project with `number`."""
    domain = _AGENTS.get(service, "gcp-sa-" + service.removesuffix(".googleapis.com").replace(".", "-"))
    return f"service-{number}@{domain}.iam.gserviceaccount.com"


def _service_identity(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    email = service_agent(inputs["service"], numbers(inputs["project"]))
    return {"email": email, "member": f"serviceAccount:{email}"}


TYPES = (
    GcpType(
        token=SERVICE,
        id_form=r"(?P<project>[^/]+)/(?P<service>[^/]+)",
        exclusive=False,
        id_of=lambda inputs: f"{inputs['project']}/{inputs['service']}",
        required=("service",),
        rules={"project": PROJECT_RULE, "service": SERVICE_RULE},
    ),
    GcpType(
        token=SERVICE_IDENTITY,
        id_form=r"projects/(?P<project>[^/]+)/services/(?P<service>[^/]+)",
        exclusive=False,
        id_of=lambda inputs: f"projects/{inputs['project']}/services/{inputs['service']}",
        fill=_service_identity,
        required=("service",),
        rules={"project": PROJECT_RULE, "service": SERVICE_RULE},
        computed=frozenset({"email", "member"}),
    ),
)
