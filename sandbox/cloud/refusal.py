"""What Google answers when it says no: one exception and its JSON body, shared by every API of the cloud.

Owns the form and the wordings that several APIs share. Each API decides itself when to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_API_TITLES = {
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "compute.googleapis.com": "Compute Engine API",
    "connectgateway.googleapis.com": "Connect Gateway API",
    "container.googleapis.com": "Kubernetes Engine API",
    "gkehub.googleapis.com": "GKE Hub API",
    "cloudkms.googleapis.com": "Cloud Key Management Service (KMS) API",
    "gkeconnect.googleapis.com": "GKE Connect API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "iamcredentials.googleapis.com": "IAM Service Account Credentials API",
    "secretmanager.googleapis.com": "Secret Manager API",
    "serviceusage.googleapis.com": "Service Usage API",
    "storage.googleapis.com": "Cloud Storage API",
    "sts.googleapis.com": "Security Token Service API",
}


class Refusal(Exception):
    """An API says no. `code` is the HTTP status, `status` Google's name for it, `reason` one for machines."""

    def __init__(
        self,
        code: int,
        status: str,
        message: str,
        *,
        reason: str = "",
        domain: str = "googleapis.com",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.reason = reason
        self.domain = domain
        self.metadata = dict(metadata or {})

    def body(self) -> dict[str, Any]:
        """The JSON document of a Google API error (https://google.aip.dev/193)."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.reason:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": self.reason,
                    "domain": self.domain,
                    "metadata": self.metadata,
                }
            ]
        return {"error": error}


def invalid(message: str) -> Refusal:
    """400: the request itself is wrong."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def precondition(message: str) -> Refusal:
    """400: the request is fine but the state of the resource forbids it."""
    return Refusal(400, "FAILED_PRECONDITION", message)


def unauthenticated() -> Refusal:
    """401: no bearer token, or one that is unknown or has expired."""
    return Refusal(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        reason="ACCESS_TOKEN_TYPE_UNSUPPORTED",
    )


def denied(message: str, permission: str = "", resource: str = "") -> Refusal:
    """403: the caller lacks a permission."""
    if not permission:
        return Refusal(403, "PERMISSION_DENIED", message)
    return Refusal(
        403,
        "PERMISSION_DENIED",
        message,
        reason="IAM_PERMISSION_DENIED",
        domain="iam.googleapis.com",
        metadata={"permission": permission, "resource": resource},
    )


def not_found(message: str) -> Refusal:
    """404."""
    return Refusal(404, "NOT_FOUND", message)


def exists(message: str) -> Refusal:
    """409: Create is not idempotent."""
    return Refusal(409, "ALREADY_EXISTS", message)


def unknown_project(project: str) -> Refusal:
    """403: Google does not say whether a project exists or is only hidden."""
    return Refusal(
        403,
        "PERMISSION_DENIED",
        f"Permission denied on resource project {project}.",
        reason="CONSUMER_INVALID",
        metadata={"consumer": f"projects/{project}"},
    )


def api_disabled(service: str, number: str) -> Refusal:
    """403: the API `service` is not enabled in the project with this number."""
    title = _API_TITLES.get(service, service)
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project={number}"
    return Refusal(
        403,
        "PERMISSION_DENIED",
        f"{title} has not been used in project {number} before or it is disabled. Enable it by visiting "
        f"{url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate "
        "to our systems and retry.",
        reason="SERVICE_DISABLED",
        metadata={"consumer": f"projects/{number}", "service": service},
    )
