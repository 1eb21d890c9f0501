"""Where Pulumi keeps the states of the fleet, and the key of the secrets in them.

Owns two buckets, the key and the rights on them. The owner's own bucket holds the state of this project: the
deployer must not be able to rewrite what an owner acts on. Old versions of a state stay for a while, and so does
what was deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.account_rights import account_email
from bootstrap.rights import Account
from bootstrap.settings import Settings

KEY_RING = "pulumi"
OLD_VERSION_DAYS = 90
OLD_VERSIONS = 20
DELETED_DAYS = 30
ROTATION_DAYS = 90
DAY = 86400

BUCKET_ROLES = {
    Account.DEPLOYER: ("roles/storage.objectUser", "reads and writes states and their locks"),
    Account.PREVIEW: (
        "roles/storage.objectViewer",
        "reads states, in which secrets are encrypted. A preview takes no lock",
    ),
}
"""Rights on the bucket of the fleet's states. On the owner's own bucket there is none."""
KEY_ROLES = {
    Account.DEPLOYER: (
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "opens and closes secrets of the stacks",
    ),
}
"""Rights on the key. Preview has none."""


@dataclass(frozen=True, kw_only=True)
class StateArgs:
    """`stack`: name of the environment. `before`: APIs and accounts."""

    settings: Settings
    stack: str
    before: list[pulumi.Resource]


class State(pulumi.ComponentResource):
    """Buckets and key. `backend`, `owner_backend` and `secrets_provider` are addresses as Pulumi takes them."""

    backend: str
    owner_backend: str
    secrets_provider: str

    def __init__(self, name: str, args: StateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet-bootstrap:index:State", name, None, opts)
        settings, where = args.settings, args.settings.state
        self._protect = settings.protect
        self._before = args.before
        bucket = self._bucket(settings, where.bucket)
        own = f"{where.bucket}-bootstrap"
        self._bucket(settings, own)
        for account, (role, _) in BUCKET_ROLES.items():
            gcp.storage.BucketIAMMember(
                f"{where.bucket}-{account}",
                bucket=where.bucket,
                role=role,
                member=f"serviceAccount:{account_email(settings, account)}",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket]),
            )
        key_path = self._key(settings, f"gke-fleet-{args.stack}")
        self.backend, self.owner_backend = f"gs://{where.bucket}", f"gs://{own}"
        self.secrets_provider = f"gcpkms://{key_path}"
        self.register_outputs({})

    def _bucket(self, settings: Settings, name: str) -> gcp.storage.Bucket:
        return gcp.storage.Bucket(
            name,
            name=name,
            project=settings.host_project,
            location=settings.state.location,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    # Both have to hold: the newest old versions stay, however old.
                    "condition": {
                        "days_since_noncurrent_time": OLD_VERSION_DAYS,
                        "num_newer_versions": OLD_VERSIONS,
                    },
                }
            ],
            soft_delete_policy={"retention_duration_seconds": DELETED_DAYS * DAY},
            force_destroy=not settings.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=self._protect, depends_on=self._before),
        )

    def _key(self, settings: Settings, name: str) -> str:
        """Make ring and key; the full name of the key."""
        host, location = settings.host_project, settings.state.location
        ring_path = f"projects/{host}/locations/{location}/keyRings/{KEY_RING}"
        ring = gcp.kms.KeyRing(
            KEY_RING,
            name=KEY_RING,
            project=host,
            location=location,
            opts=pulumi.ResourceOptions(parent=self, protect=self._protect, depends_on=self._before),
        )
        key = gcp.kms.CryptoKey(
            name,
            name=name,
            key_ring=ring_path,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{ROTATION_DAYS * DAY}s",
            opts=pulumi.ResourceOptions(parent=self, protect=self._protect, depends_on=[ring]),
        )
        path = f"{ring_path}/cryptoKeys/{name}"
        for account, (role, _) in KEY_ROLES.items():
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-{account}",
                crypto_key_id=path,
                role=role,
                member=f"serviceAccount:{account_email(settings, account)}",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[key]),
            )
        return path
