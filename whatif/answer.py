"""The answer of a what-if: what a change does to a stack, as data.

Owns its form, as Python and as JSON, and reading a JSON document that may come from anybody: unknown fields,
wrong types and texts beyond measure are refused. Does not own how the answer is found, nor how it looks.
Names of resource steps are those of `pulumi preview --json`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=20_000)]
Short = Annotated[str, Field(max_length=2_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ChangeKind(StrEnum):
    """What becomes different of an Application. Where several things do, the first of this list that does."""

    ADDED = "added"
    REMOVED = "removed"
    RING = "ring"
    VERSION = "version"
    VALUES = "values"


class Effect(StrEnum):
    """What becomes of what a removed Application had delivered."""

    KEPT = "kept"
    """It stays, because an entry says so (`workloads: keep`)."""
    PRUNED = "pruned"
    """It is removed from the cluster, or goes with the cluster."""
    ORPHANED = "orphaned"
    """It stays because nothing says otherwise, and nobody looks after it."""


class Difference(_Part):
    """One thing that differs. `change` is ring, version or values."""

    change: ChangeKind
    from_: Short | None = Field(alias="from")
    to: Short | None


class Change(_Part):
    """One Application that differs.

    `from` and `to` are versions for added, removed and version, rings for ring, digests for values; None where
    there is none. `effect` is set for what is removed. `also`: what else differs of the same Application.
    `details`: lines such as "replicas: 1 -> 2", for values.
    """

    application: Short
    cluster: Short
    addon: Short
    change: ChangeKind
    from_: Short | None = Field(alias="from")
    to: Short | None
    effect: Effect | None = None
    also: tuple[Difference, ...] = ()
    details: tuple[Short, ...] = ()


class Step(_Part):
    """What the CLI does with one resource, in its own operations.

    `detailed_diff`: property path -> {kind, inputDiff}, as the CLI reports it; None where it reports none.
    `lines`: what is different with the values before and after, one property a line, secrets as [secret].
    `digest`: names the inputs that the resource will have, so that a change to another value is another change.
    """

    op: Short
    urn: Short
    type: Short
    name: Short
    detailed_diff: dict[str, Any] | None = None
    diff_reasons: tuple[Short, ...] = ()
    replace_reasons: tuple[Short, ...] = ()
    lines: tuple[Text, ...] = ()
    digest: Short = ""


class Policy(_Part):
    """One finding of the policy pack."""

    rule: Short
    level: Short
    urn: Text
    message: Text


class Application(_Part):
    """An Application as the program exports it.

    `values` is a digest of all that decides what it delivers beside the version; None where the revision does not
    say. `removing`: it stands on the empty source, so that Argo CD prunes what it delivered.
    """

    application: Short
    cluster: Short
    addon: Short
    version: Short
    namespace: Short
    ring: Short
    values: Short | None = None
    removing: bool = False


class Side(_Part):
    """One side of the comparison: the base or the head.

    `label`: what a person calls it. `providers`: package -> provider processes of an ordinary run.
    `gateway`: predicted requests a minute at Connect Gateway, None where the revision does not say.
    `costs`: findings of the policy pack's cost rules. `notices`: what the program warns of.
    """

    label: Short
    resources: int
    applications: tuple[Application, ...]
    clusters: tuple[Short, ...]
    providers: dict[str, int]
    gateway: float | None
    costs: int
    notices: tuple[Text, ...] = ()


class Limit(_Part):
    """One limit of the blast radius: what it counts, how much of it there is, how much may be.

    `what`: removed, clusters, or "ring NAME". `names`: what was counted.
    """

    what: Short
    found: int
    allowed: int
    names: tuple[Short, ...]


class Radius(_Part):
    """The blast radius. `change` is the fingerprint that an acknowledgement names; `limits` are all that are set.

    `acknowledged`: the reason of the acknowledgement that names this very change, None without one.
    """

    change: Short
    removed: int
    clusters: int
    rings: dict[str, int]
    limits: tuple[Limit, ...]
    acknowledged: Text | None = None

    @property
    def exceeded(self) -> tuple[Limit, ...]:
        """The limits that are exceeded, acknowledged or not."""
        return tuple(limit for limit in self.limits if limit.found > limit.allowed)

    @property
    def is_over(self) -> bool:
        """Whether this change is refused."""
        return bool(self.exceeded) and self.acknowledged is None


class Manifest(_Part):
    """The rendered difference of one add-on between two versions, the same on all of `clusters`.

    `diff`: a unified diff of the objects; `objects`: "Deployment external-secrets/webhook: changed" a line.
    """

    addon: Short
    from_: Short | None = Field(alias="from")
    to: Short | None
    clusters: tuple[Short, ...]
    objects: tuple[Short, ...]
    diff: Annotated[str, Field(max_length=2_000_000)]
    why_not: Text | None = None


class Answer(_Part):
    """All of it. `steps` are in the CLI's order, unchanged resources among them.

    `policies`: those of the head; `new` and `fixed` against the base. `summary`: op -> number of resources.
    `diagnostics`: errors and warnings of the CLI. `exit_code`: the CLI's own. `confined`: how the head's program
    was kept in, None where it is trusted.
    """

    stack: Short
    base: Side
    head: Side
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    policies: tuple[Policy, ...]
    new_policies: tuple[Policy, ...]
    fixed_policies: tuple[Policy, ...]
    radius: Radius
    summary: dict[str, int]
    diagnostics: tuple[Text, ...] = ()
    manifests: tuple[Manifest, ...] | None = None
    exit_code: int = 0
    confined: Text | None = None
