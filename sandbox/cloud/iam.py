"""Who may do what: the IAM policies that follow from the resources that were made.

Owns the evaluation. A subject is the e-mail of a service account or a person, or the `principal://` URI of a workload;
it is granted what its members are granted: itself, its groups, the sets that it is in. The organization's owner may
everything. A grant counts from its `effective` time (creation plus the grant delay of that moment, because on Google
Cloud a new binding takes a while); a removed one stops counting at once, which is the strict side of what Google
documents for removals.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator

from plugins.gcp.types import service_agent
from sandbox.cloud.condition import allows
from sandbox.cloud.organization import Organization
from sandbox.cloud.roles import KUBERNETES_GROUPS, PERMISSIONS
from sandbox.cloud.store import Record, Store

PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 - a type, not a secret
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
_SET_POLICY = "resourcemanager.projects.setIamPolicy"
_NEVER = float("inf")
_WORKLOAD = re.compile(
    r"principal://iam\.googleapis\.com/projects/(?P<number>[^/]+)/locations/global/workloadIdentityPools/"
    r"(?P<pool>[^/]+)/subject/(?P<subject>.+)"
)
_KUBERNETES_SUBJECT = re.compile(r"ns/([^/]+)/sa/([^/]+)")


class Iam:
    """The policies of every project, service account, secret, bucket and key."""

    def __init__(
        self, store: Store, organization: Organization, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._organization = organization
        self._now = now

    def members(self, subject: str) -> frozenset[str]:
        """The IAM members that a subject counts as."""
        workload = _WORKLOAD.fullmatch(subject)
        if workload is not None:
            return frozenset({subject, *_sets(workload)})
        if subject.endswith(".gserviceaccount.com"):
            return frozenset({f"serviceAccount:{subject}"})
        groups = {f"group:{group}" for group in self._organization.groups(subject)}
        return frozenset({f"user:{subject}", *groups})

    def roles(self, subject: str, project: str) -> frozenset[str]:
        """The roles that a subject has on a project (by id), now, with conditions or without."""
        return frozenset(str(grant.inputs["role"]) for grant in self._held(subject, project))

    def may(self, subject: str, permission: str, project: str, resource: str = "") -> bool:
        """Whether a subject holds a permission, now.

        It holds it on the project (by id), or on one resource in it that has a policy of its own: a service account or
        a secret or a key by its full name without number (`projects/P/...`), a bucket by its name.
        """
        if subject == self._organization.owner:
            return True
        grants = [*self._held(subject, project), *self._held_on(subject, resource)]
        return any(
            permission in self._permissions(str(grant.inputs["role"])) and allows(grant.inputs, frozenset())
            for grant in grants
        )

    def may_grant(self, subject: str, role: str, project: str) -> bool:
        """Whether a subject may give or take `role` on a project (by id), now."""
        if subject == self._organization.owner:
            return True
        return any(
            _SET_POLICY in self._permissions(str(grant.inputs["role"]))
            and allows(grant.inputs, frozenset({role}))
            for grant in self._held(subject, project)
        )

    def kubernetes_groups(self, subject: str, cluster: Record) -> list[str]:
        """The groups that a subject has inside a GKE cluster, sorted.

        Those that stand for its roles on the cluster's project (IAM as second authorizer), and its Google groups that
        are nested in the cluster's `authenticatorGroupsConfig.securityGroup`.
        """
        project = self._organization.project(str(cluster.inputs["project"])).id
        security = (cluster.inputs.get("authenticatorGroupsConfig") or {}).get("securityGroup")
        google = self._organization.groups(subject) & self._organization.nested(security) if security else ()
        return sorted({*self._authorizer_groups(subject, project), *google})

    def effective(self, email: str, role: str, project: str) -> float:
        """When the account's grant of a role on a project counts (seconds since the epoch); inf if there is none."""
        member = f"serviceAccount:{email}"
        times = [
            record.effective
            for record in self._of_project(project)
            if record.inputs["member"] == member and record.inputs["role"] == role
        ]
        return min(times, default=_NEVER)

    def permitted_at(self, email: str, permission: str, project: str) -> float:
        """When an account holds a permission on a project (seconds since the epoch); inf if it has no grant of it."""
        member = f"serviceAccount:{email}"
        times = [
            record.effective
            for record in self._of_project(project)
            if record.inputs["member"] == member
            and permission in self._permissions(str(record.inputs["role"]))
        ]
        return min(times, default=_NEVER)

    def may_act_as(self, member: str | Iterable[str], email: str) -> bool:
        """Whether `member`, or one of them, may take tokens of the service account `email`
        (roles/iam.workloadIdentityUser), now.
        """
        account = self.account(email)
        if account is None:
            return False
        members = {member} if isinstance(member, str) else set(member)
        return any(
            "iam.serviceAccounts.getAccessToken" in self._permissions(str(grant.inputs["role"]))
            for grant in self._counting(self._on(account.id))
            if grant.inputs["member"] in members
        )

    def account(self, email: str) -> Record | None:
        """The service account with this e-mail, or None."""
        return next((record for record in self._store.of(ACCOUNT) if record.outputs["email"] == email), None)

    def exists(self, email: str) -> bool:
        """Whether there is a service account, or a service agent, with this e-mail."""
        if self.account(email) is not None:
            return True
        if any(record.outputs.get("email") == email for record in self._store.of(SERVICE_IDENTITY)):
            return True
        return any(
            email in self._given(project.id, project.number) for project in self._organization.projects()
        )

    def usable(self, subject: str) -> bool:
        """Whether tokens of this subject are good: a service account must exist and not be disabled."""
        if not subject.endswith(".gserviceaccount.com"):
            return True
        account = self.account(subject)
        return account is not None and not account.inputs.get("disabled", False)

    def has_role(self, role: str) -> bool:
        """Whether a role can be granted, as far as that is known: a custom role must exist."""
        return role.startswith("roles/") or self._store.get(CUSTOM_ROLE, role) is not None

    def _given(self, project: str, number: str) -> Iterator[str]:
        """Accounts that a project has of itself, once the API is enabled."""
        apis = self._store.enabled(project)
        if "compute.googleapis.com" in apis:
            yield compute_account(number)
        if "container.googleapis.com" in apis:
            yield service_agent("container.googleapis.com", number)

    def _authorizer_groups(self, subject: str, project: str) -> Iterator[str]:
        if subject == self._organization.owner:
            yield KUBERNETES_GROUPS["roles/owner"]
        for role in self.roles(subject, project):
            if role in KUBERNETES_GROUPS:
                yield KUBERNETES_GROUPS[role]

    def _permissions(self, role: str) -> Iterable[str]:
        if role in PERMISSIONS:
            return PERMISSIONS[role]
        custom = self._store.get(CUSTOM_ROLE, role)
        return [str(permission) for permission in custom.inputs["permissions"]] if custom else ()

    def _held(self, subject: str, project: str) -> Iterator[Record]:
        members = self.members(subject)
        return (
            grant for grant in self._counting(self._of_project(project)) if grant.inputs["member"] in members
        )

    def _held_on(self, subject: str, resource: str) -> Iterator[Record]:
        members = self.members(subject)
        return (grant for grant in self._counting(self._on(resource)) if grant.inputs["member"] in members)

    def _counting(self, grants: Iterable[Record]) -> Iterator[Record]:
        now = self._now()
        return (grant for grant in grants if grant.effective <= now)

    def _of_project(self, project: str) -> Iterator[Record]:
        return (
            record
            for record in self._store.of(PROJECT_MEMBER)
            if record.inputs["project"] in (project, f"projects/{project}")
        )

    def _on(self, resource: str) -> Iterator[Record]:
        """The grants in a resource's own policy."""
        if not resource:
            return
        for type_ in (ACCOUNT_MEMBER, SECRET_MEMBER, BUCKET_MEMBER, KEY_MEMBER):
            for record in self._store.of(type_):
                if holder(type_, record.inputs) == resource:
                    yield record


def holder(type_: str, inputs: dict[str, object]) -> str:
    """The resource whose policy a grant is in, "" for a project."""
    if type_ == ACCOUNT_MEMBER:
        name = str(inputs["serviceAccountId"])
        email = name.rpartition("/")[2]
        return f"projects/{email.partition('@')[2].partition('.')[0]}/serviceAccounts/{email}"
    if type_ == SECRET_MEMBER:
        secret = str(inputs["secretId"]).rpartition("/")[2]
        project = str(inputs.get("project") or str(inputs["secretId"]).split("/")[1])
        return f"projects/{project}/secrets/{secret}"
    if type_ == BUCKET_MEMBER:
        return str(inputs["bucket"]).removeprefix("b/")
    if type_ == KEY_MEMBER:
        return str(inputs["cryptoKeyId"])
    return ""


def compute_account(number: str) -> str:
    """E-mail of the account that nodes have if nobody names one."""
    return f"{number}-compute@developer.gserviceaccount.com"


def _sets(workload: re.Match[str]) -> Iterator[str]:
    """What a workload counts as besides itself
    (https://cloud.google.com/iam/docs/principal-identifiers).
    """
    pool = (
        f"principalSet://iam.googleapis.com/projects/{workload['number']}/locations/global/"
        f"workloadIdentityPools/{workload['pool']}"
    )
    yield f"{pool}/*"
    kubernetes = _KUBERNETES_SUBJECT.fullmatch(workload["subject"])
    if kubernetes and workload["pool"].endswith(".svc.id.goog"):
        yield f"{pool}/namespace/{kubernetes[1]}"
        yield f"serviceAccount:{workload['pool']}[{kubernetes[1]}/{kubernetes[2]}]"
