"""Settings of Argo CD in a fleet file.

Owns what may differ between environments, its bounds and its explanations: the errors come from here. Does not
own what the settings become in the chart's values (`model.argocd`), nor what holds between them and the rest of
a fleet (`model.load`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from model.vocabulary import Entry, HttpsUrl, wrong

GOOGLE_ISSUER = "https://accounts.google.com"
"""Google as an OpenID Connect issuer: it knows no groups
(https://developers.google.com/identity/openid-connect/openid-connect#scope-param)."""


class Identity(StrEnum):
    """As whom Argo CD calls members at Google Cloud."""

    ACCOUNT = "account"
    PRINCIPAL = "principal"


class Sharding(StrEnum):
    """Argo CD's algorithms that share clusters out among application controllers."""

    LEGACY = "legacy"
    ROUND_ROBIN = "round-robin"
    CONSISTENT_HASHING = "consistent-hashing"


class Access(StrEnum):
    """What a signed-in person may do in Argo CD: its built-in roles."""

    ADMIN = "admin"
    READONLY = "readonly"


class DefaultAccess(StrEnum):
    """What a signed-in person may do who is in no listed group."""

    NONE = "none"
    READONLY = "readonly"


class Claim(StrEnum):
    """The claim of a token that says in which groups its owner is."""

    GROUPS = "groups"
    EMAIL = "email"


def _api_group(value: str) -> str:
    if value in ("", "*") or re.fullmatch(r"[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?", value):
        return value
    if "/" in value:
        group = "" if value.startswith("v1") else value.partition("/")[0]
        raise wrong("that is an API version, not a group", f'write the group alone: "{group}"')
    raise wrong("it is not an API group", 'write one as in apps, *.example.com, or "" for the core group')


def _watched_kind(value: str) -> str:
    if value == "*" or re.fullmatch(r"[A-Z][A-Za-z0-9]*", value):
        return value
    if re.fullmatch(r"[a-z0-9]+", value):
        raise wrong("that is a resource, not a kind", "write the kind as manifests do: ConfigMap, or *")
    raise wrong(
        "it is not a kind, and Argo CD takes no * for a part of one",
        'write the kind alone, as in ConfigMap, or "*" for every kind of the groups',
    )


def _secret_reference(value: str) -> str:
    if not value.startswith("$"):
        raise wrong(
            "only a reference may stand here: everybody who reads this file, or Argo CD's settings, would read "
            "the secret",
            "put the secret into Secret Manager and write $SECRET:KEY, the Secret on the hub that holds it",
        )
    if not re.fullmatch(r"\$[a-z0-9]([-a-z0-9.]*[a-z0-9])?:[A-Za-z0-9._-]+", value):
        raise wrong(
            "it is not a reference to a key of a Secret", "write $SECRET:KEY, as in $argocd-oidc:clientSecret"
        )
    return value


def _scope(value: str) -> str:
    if not re.fullmatch(r"[!#-\[\]-~]+", value):
        raise wrong("it is not one scope (RFC 6749, section 3.3)", "write each scope as an entry of its own")
    return value


def _group(value: str) -> str:
    if not value.strip() or value != value.strip() or re.search(r"[,\"\n\r]", value):
        raise wrong(
            "it would be more than one field of Argo CD's policy, or none",
            "write the group as the issuer's token names it, without comma, quotation mark and outer space",
        )
    return value


def _domain(value: str) -> str:
    if "/" in value or ":" in value:
        raise wrong("that is more than a host name", "write the host alone, as in argocd.acme.example")
    if not re.fullmatch(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?", value):
        raise wrong(
            "it is not a host name", "write it in lower case, with its domain, as in argocd.acme.example"
        )
    return value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    # Not by a length in the field: pydantic does not count items that are wrong themselves.
    if not value:
        raise wrong(
            "the list is empty: the entry would count for nothing", 'list at least one, or "*" for all'
        )
    return value


ApiGroup = Annotated[str, AfterValidator(_api_group)]
"""An API group without version, "" for the core, `*` for any part of a name."""
ApiGroups = Annotated[tuple[ApiGroup, ...], AfterValidator(_some)]
WatchedKinds = Annotated[tuple[Annotated[str, AfterValidator(_watched_kind)], ...], AfterValidator(_some)]
Scope = Annotated[str, AfterValidator(_scope)]
Group = Annotated[str, AfterValidator(_group)]
SecretReference = Annotated[str, AfterValidator(_secret_reference)]
"""`$SECRET:KEY` of a Secret in Argo CD's namespace, labelled `app.kubernetes.io/part-of: argocd`."""
Domain = Annotated[str, AfterValidator(_domain)]


class Replicas(Entry):
    """How many of each part of Argo CD run on the hub."""

    controller: int = Field(
        default=1, ge=1, le=32, description="application controllers: shards of the clusters"
    )
    server: int = Field(default=1, ge=1, le=16, description="API servers")
    repo_server: int = Field(
        default=1, ge=1, le=32, description="repo-servers: they render charts and folders"
    )
    application_set: int = Field(
        default=1, ge=1, le=8, description="ApplicationSet controllers: one works, others wait"
    )


class Kinds(Entry):
    """Kinds of resources that Argo CD looks at, or does not."""

    api_groups: ApiGroups = Field(
        description='a list of API groups without version, "" for the core, "*" for all'
    )
    kinds: WatchedKinds = Field(description='a list of kinds, "*" for all')

    @model_validator(mode="after")
    def _is_not_everything(self) -> Self:
        if "*" in self.api_groups and "*" in self.kinds:
            raise wrong(
                "that is every kind there is: Argo CD would look at nothing, or the entry says nothing",
                "name the API groups, or the kinds",
            )
        return self


class Sso(Entry):
    """Login of people through an OpenID Connect issuer."""

    name: str = Field(default="SSO", min_length=1, description="what the login button says")
    issuer: HttpsUrl = Field(description="https address of the OpenID Connect issuer, as its tokens name it")
    client_id: str = Field(min_length=1, description="id of the client that the issuer knows Argo CD as")
    client_secret: SecretReference = Field(
        default="$argocd-oidc:clientSecret",
        description="reference $SECRET:KEY to the client's secret; External Secrets on the hub makes that Secret "
        "in namespace argocd, with the label app.kubernetes.io/part-of: argocd",
    )
    scopes: tuple[Scope, ...] = Field(
        default=("openid", "profile", "email", "groups"),
        description="a list of the scopes that Argo CD asks the issuer for",
    )
    claim: Claim = Field(
        default=Claim.GROUPS, description="the claim whose values `groups` names: groups, or email"
    )
    groups: dict[Group, Access] = Field(
        default={},
        description="groups (or e-mail addresses, by `claim`) and what they may do: admin or readonly",
    )
    default_access: DefaultAccess = Field(
        default=DefaultAccess.NONE, description="what everybody else who can log in may do: none or readonly"
    )

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if "openid" not in self.scopes:
            raise wrong("without scope openid the issuer gives no id token", "add openid to `scopes`")
        twice = sorted({scope for scope in self.scopes if self.scopes.count(scope) > 1})
        if twice:
            raise wrong(f"scope {twice[0]} stands there twice", "list each scope once")
        if not self.groups and self.default_access is DefaultAccess.NONE:
            raise wrong(
                "people could log in and then see nothing",
                "list under `groups` who may what, or set `defaultAccess: readonly`",
            )
        return self

    @model_validator(mode="after")
    def _suits_the_issuer(self) -> Self:
        if self.issuer == GOOGLE_ISSUER and ("groups" in self.scopes or self.claim is Claim.GROUPS):
            raise wrong(
                "Google knows no scope and no claim `groups`: it would refuse the login",
                "set `scopes: [openid, profile, email]` and `claim: email` and list e-mail addresses, or put an "
                "issuer that tells groups before it",
            )
        odd = [group for group in self.groups if self.claim is Claim.EMAIL and "@" not in group]
        if odd:
            raise wrong(
                f"{odd[0]} is no e-mail address, and `claim: email` compares with these",
                "write addresses, or leave out `claim`",
            )
        return self


class GitCredentials(Entry):
    """What Argo CD logs in with at private Git repositories. The token is the stack's secret `gitToken`."""

    url: HttpsUrl = Field(description="prefix of the repositories that the token is for")
    username: str = Field(default="x-access-token", description="user name that goes with the token")


class ArgocdSettings(Entry):
    """Settings of Argo CD that differ between environments. The rest is in `model.argocd`, the same
    everywhere."""

    domain: Domain | None = Field(default=None, description="host name under which people reach the web UI")
    admin: bool = Field(
        default=False, description="whether the built-in admin can log in; people should not need it"
    )
    take_over: bool = Field(
        default=False,
        description="whether the installation may take over what an Argo CD that was removed or made by hand left "
        "behind; without it Helm refuses",
    )
    identity: Identity = Field(
        default=Identity.ACCOUNT,
        description="as whom Argo CD calls members: a service account, or the ServiceAccounts themselves "
        "(principal: reported not to work for remote clusters, try it before you rely on it)",
    )
    exec: bool = Field(
        default=False,
        description="whether people may open a terminal in a pod from the web UI; argocd-server then has an "
        "identity and rights of its own",
    )
    sso: Sso | None = Field(default=None, description="login of people through an OpenID Connect issuer")
    reconciliation_seconds: int = Field(
        default=120,
        ge=5,
        le=86400,
        description="seconds between two looks at a source (Argo CD's timeout.reconciliation)",
    )
    reconciliation_jitter_seconds: int = Field(
        default=60, ge=0, le=3600, description="seconds over which these looks are spread"
    )
    self_heal_pause_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description="longest pause in seconds between two attempts to put right what was changed by hand; the "
        "pauses grow up to it (Argo CD's controller.self.heal.backoff.cap.seconds)",
    )
    watch_resync_seconds: int = Field(
        default=0,
        ge=0,
        le=86400,
        description="seconds after which watches on members start anew with a full list; 0: never, saves "
        "about 10 requests a minute and cluster of the gateway's 2,400",
    )
    client_qps: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="requests a second that a controller sends to one cluster at most (Argo CD's own: 50)",
    )
    client_burst: int | None = Field(
        default=None,
        ge=1,
        le=2000,
        description="requests that a controller may send to one cluster at once (Argo CD's own: twice "
        "clientQps)",
    )
    replicas: Replicas = Field(default=Replicas(), description="how many of each part run")
    sharding: Sharding = Field(
        default=Sharding.LEGACY,
        description="how clusters are shared out among controllers: legacy by the id of their Secret, "
        "round-robin and consistent-hashing (both alpha in Argo CD) evenly",
    )
    redis_ha: bool = Field(
        default=False,
        description="whether three Redis with a proxy before them run instead of one; the hub needs three nodes",
    )
    resource_exclusions: tuple[Kinds, ...] = Field(
        default=(),
        description="a list of further kinds that Argo CD does not look at, beside those that it never does",
    )
    resource_inclusions: tuple[Kinds, ...] = Field(
        default=(),
        description="a list of the only kinds that Argo CD looks at; without it, all but the excluded ones",
    )
    git_credentials: GitCredentials | None = Field(
        default=None, description="login at private Git repositories"
    )

    @model_validator(mode="after")
    def _people_come_back_after_login(self) -> Self:
        if self.sso is not None and self.domain is None:
            raise wrong(
                "the issuer sends people back to https://DOMAIN/auth/callback, and no `domain` is given",
                "add `domain:` the host name under which people reach the web UI",
            )
        return self

    @model_validator(mode="after")
    def _burst_holds_a_second(self) -> Self:
        if self.client_burst is not None and self.client_qps is None:
            raise wrong("a burst without a rate has no meaning", "add `clientQps:`, or drop `clientBurst`")
        if (
            self.client_qps is not None
            and self.client_burst is not None
            and self.client_burst < self.client_qps
        ):
            raise wrong(
                f"a burst of {self.client_burst} is less than the rate of {self.client_qps} a second, which could "
                "then never be reached",
                "raise `clientBurst` to at least `clientQps`, or drop it",
            )
        return self

    @model_validator(mode="after")
    def _shards_are_more_than_one(self) -> Self:
        if self.sharding is not Sharding.LEGACY and self.replicas.controller == 1:
            raise wrong(
                f"one controller has every cluster: {self.sharding.value} has nothing to share out",
                "set `replicas: {controller: N}`, or drop `sharding`",
            )
        return self

    @model_validator(mode="after")
    def _looks_at_each_kind_or_not(self) -> Self:
        for entry in self.resource_inclusions:
            if entry in self.resource_exclusions:
                raise wrong(
                    f"{', '.join(entry.kinds)} of {', '.join(entry.api_groups) or 'the core group'} is both included "
                    "and excluded: the exclusion counts",
                    "keep it in one of `resourceInclusions` and `resourceExclusions`",
                )
        return self
