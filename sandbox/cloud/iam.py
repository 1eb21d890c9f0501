"""Who may do what: the IAM policies that follow from the program's resources and from the bootstrap.

Owns the evaluation. A grant counts from its `effective` time (creation plus the grant delay of that moment,
because on Google Cloud a new binding takes a while); a removed one stops counting at once, which is the
strict side of what Google documents for removals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sandbox.cloud.bootstrap import Bootstrap
from sandbox.cloud.roles import KUBERNETES_GROUPS, PERMISSIONS
from sandbox.cloud.store import Record, Store

PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
_NEVER = float("inf")


class Iam:
    """The policies of every project and service account."""

    def __init__(self, store: Store, bootstrap: Bootstrap, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._now = now

    def roles(self, email: str, project: str) -> frozenset[str]:
        """The roles that a service account (by e-mail) has on a project (by id), now."""
        member = f"serviceAccount:{email}"
        now = self._now()
        granted = {
            str(record.inputs["role"])
            for record in self._project_grants(project)
            if record.inputs["member"] == member and record.effective <= now
        }
        if email == self._bootstrap.deployer:
            granted |= self._bootstrap.grants.get(project, frozenset())
        return frozenset(granted)

    def may(self, email: str, permission: str, project: str) -> bool:
        """Whether a service account (by e-mail) holds a permission on a project (by id), now."""
        return any(permission in PERMISSIONS.get(role, ()) for role in self.roles(email, project))

    def groups(self, email: str, project: str) -> list[str]:
        """The Kubernetes groups that stand for the account's roles on a cluster's project (by id), sorted."""
        return sorted(
            {KUBERNETES_GROUPS[role] for role in self.roles(email, project) if role in KUBERNETES_GROUPS}
        )

    def effective(self, email: str, role: str, project: str) -> float:
        """When the account's grant of a role on a project counts (seconds since the epoch); inf if there is none."""
        member = f"serviceAccount:{email}"
        times = [
            record.effective
            for record in self._project_grants(project)
            if record.inputs["member"] == member and record.inputs["role"] == role
        ]
        return min(times, default=_NEVER)

    def may_act_as(self, member: str, email: str) -> bool:
        """Whether `member` may take tokens of the service account `email` (roles/iam.workloadIdentityUser), now."""
        account = self.account(email)
        if account is None:
            return False
        now = self._now()
        return any(
            record.inputs["member"] == member
            and "iam.serviceAccounts.getAccessToken" in PERMISSIONS.get(str(record.inputs["role"]), ())
            and record.inputs["serviceAccountId"] in (account.id, f"projects/-/serviceAccounts/{email}")
            and record.effective <= now
            for record in self._store.of(ACCOUNT_MEMBER)
        )

    def account(self, email: str) -> Record | None:
        """The service account with this e-mail that the program made, or None."""
        return next((record for record in self._store.of(ACCOUNT) if record.outputs["email"] == email), None)

    def exists(self, email: str) -> bool:
        """Whether there is a service account, or a service agent, with this e-mail."""
        if email == self._bootstrap.deployer or self.account(email) is not None:
            return True
        return any(record.outputs.get("email") == email for record in self._store.of(SERVICE_IDENTITY))

    def usable(self, email: str) -> bool:
        """Whether tokens of this account are good: it exists and is not disabled."""
        if email == self._bootstrap.deployer:
            return True
        account = self.account(email)
        return account is not None and not account.inputs.get("disabled", False)

    def _project_grants(self, project: str) -> Iterator[Record]:
        return (
            record
            for record in self._store.of(PROJECT_MEMBER)
            if record.inputs["project"] in (project, f"projects/{project}")
        )
