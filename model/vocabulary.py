"""The words that a configuration may use: names, versions, regions, and the types that check them.

Owns the form of each single value. Does not own what holds between values (`model.load`). Every validator
raises an error that says why the value is wrong and what to write instead.
"""

from __future__ import annotations

import difflib
import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

KUBERNETES_MINORS = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""The Kubernetes minors that GKE offers or supports in 2026 and Argo CD 3.5 or 3.6 is tested with."""

REGIONS = frozenset(
    {
        *(
            "africa-south1",
            "asia-east1",
            "asia-east2",
            "asia-northeast1",
            "asia-northeast2",
            "asia-northeast3",
        ),
        *("asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1"),
        *("australia-southeast2", "europe-central2", "europe-north1", "europe-north2", "europe-southwest1"),
        *("europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8"),
        *("europe-west9", "europe-west10", "europe-west12", "me-central1", "me-central2", "me-west1"),
        *("northamerica-northeast1", "northamerica-northeast2", "northamerica-south1", "southamerica-east1"),
        *("southamerica-west1", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1"),
        *("us-west2", "us-west3", "us-west4"),
    }
)
"""The regions of Google Cloud (https://cloud.google.com/compute/docs/regions-zones)."""


class Entry(BaseModel):
    """Base of everything that is read from a file: strict types, no unknown key, camelCase in the file."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", alias_generator=to_camel, validate_default=False
    )


class Role(StrEnum):
    """What a cluster is in its fleet."""

    HUB = "hub"
    MEMBER = "member"


class Join(StrEnum):
    """How a cluster comes into the fleet."""

    CREATE = "create"
    REGISTER = "register"
    REGISTERED = "registered"


class Lifecycle(StrEnum):
    """Whether a cluster is to stay."""

    ACTIVE = "active"
    LEAVING = "leaving"


class Workloads(StrEnum):
    """What becomes of what was delivered, where a cluster or an add-on leaves."""

    KEEP = "keep"
    REMOVE = "remove"


class Mode(StrEnum):
    """Who looks after the nodes of a cluster that is created."""

    AUTOPILOT = "autopilot"
    STANDARD = "standard"


class Channel(StrEnum):
    """The release channel that chooses the patch, in the API's words. EXTENDED is missing: it costs more."""

    RAPID = "RAPID"
    REGULAR = "REGULAR"
    STABLE = "STABLE"


class Endpoint(StrEnum):
    """How Argo CD reaches a member. The deployer always goes through the gateway."""

    GATEWAY = "gateway"
    DNS = "dns"
    PRIVATE = "private"


class Access(StrEnum):
    """What a group of operators may do in every cluster."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"


class Day(StrEnum):
    """A day of the week, as recurrence rules write it."""

    MONDAY = "MO"
    TUESDAY = "TU"
    WEDNESDAY = "WE"
    THURSDAY = "TH"
    FRIDAY = "FR"
    SATURDAY = "SA"
    SUNDAY = "SU"


class TaintEffect(StrEnum):
    """What a taint does, in the words of Google's API."""

    NO_SCHEDULE = "NO_SCHEDULE"
    PREFER_NO_SCHEDULE = "PREFER_NO_SCHEDULE"
    NO_EXECUTE = "NO_EXECUTE"


def wrong(why: str, remedy: str) -> PydanticCustomError:
    """An error that `model.load` turns into a Problem."""
    return PydanticCustomError("configuration", "{why}", {"why": why, "remedy": remedy})


def _named(noun: str, longest: int) -> AfterValidator:
    form = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")

    def check(value: str) -> str:
        remedy = f"use a lower-case letter, then letters, digits and hyphens, at most {longest} characters"
        if len(value) > longest:
            raise wrong(f"a {noun} of {len(value)} characters is too long", remedy)
        if not form.fullmatch(value):
            raise wrong(f"it is not a {noun} (RFC 1035 label)", remedy)
        return value

    return AfterValidator(check)


def _project_id(value: str) -> str:
    remedy = "use the project's id: 6 to 30 lower-case letters, digits and hyphens, starting with a letter"
    if value.isdigit():
        raise wrong("that is a project number, not a project id", remedy)
    if not re.fullmatch(r"[a-z][-a-z0-9]{4,28}[a-z0-9]", value):
        raise wrong("it is not a project id", remedy)
    return value


def _project_number(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{5,18}", value):
        raise wrong(
            "it is not a project number",
            "use the digits that `gcloud projects describe ID` prints as projectNumber, in quotes",
        )
    return value


def _region(value: str) -> str:
    zone = re.fullmatch(r"([a-z]+-[a-z]+[0-9]+)-[a-z]", value)
    if zone and zone[1] in REGIONS:
        raise wrong("that is a zone, and a cluster of the fleet is regional", f"write the region: {zone[1]}")
    if value not in REGIONS:
        near = difflib.get_close_matches(value, sorted(REGIONS), n=1)
        hint = f"did you mean `{near[0]}`?" if near else "use one like asia-northeast1"
        raise wrong("there is no such region at Google Cloud", hint)
    return value


def _membership_location(value: str) -> str:
    return value if value == "global" else _region(value)


def _minor(value: str) -> str:
    if value not in KUBERNETES_MINORS:
        raise wrong(
            "it is not a Kubernetes minor that this program knows",
            f"use one of {', '.join(KUBERNETES_MINORS)} (the patch is the release channel's)",
        )
    return value


def _version(value: str) -> str:
    if re.fullmatch(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", value):
        return value
    if re.fullmatch(r"v?\d+(\.\d+)?", value):
        why = "a version without all three parts is a range to Helm: it floats"
    elif re.search(r"[*^~<>=|, ]|\.x\b", value):
        why = "a range floats: tomorrow it installs something else"
    elif value.lower() in {"latest", "head", "stable", "main", "master"}:
        why = "a moving name floats: tomorrow it installs something else"
    else:
        why = "it is not a version"
    raise wrong(why, "write all three parts of one version, as in 1.3.1")


def _pin(value: str) -> str:
    if is_commit(value) or is_digest(value):
        return value
    if value.startswith("sha256:"):
        raise wrong("it is not a whole digest", "write sha256: and 64 digits")
    return _version(value)


def is_commit(value: str) -> bool:
    """Whether a text is a full commit id."""
    return re.fullmatch(r"[0-9a-f]{40}", value) is not None


def is_digest(value: str) -> bool:
    """Whether a text is the digest of an OCI artifact."""
    return re.fullmatch(r"sha256:[0-9a-f]{64}", value) is not None


def _commit(value: str) -> str:
    if not is_commit(value):
        raise wrong(
            "only a full commit id stays the same for ever", "write the 40 digits that `git rev-parse` prints"
        )
    return value


def _https(value: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9.-]+\.[a-z0-9-]+(:\d+)?(/[^\s?#]*)?", value):
        raise wrong("it is not an https address", "write https://HOST/PATH, without a query")
    return value.rstrip("/")


def _repository(value: str) -> str:
    if not value.startswith("oci://"):
        return _https(value)
    # A host has a name: Argo CD reads `127.0.0.1:5000/x`, without a scheme, as no address at all, and an AppProject
    # that lists it would let through every other one that it cannot read (`IsSourcePermitted` of 3.5.7).
    if not re.fullmatch(r"oci://[a-z0-9.-]+\.[a-z][a-z0-9-]*(:\d+)?(/[a-z0-9]+([._/-]+[a-z0-9]+)*)+", value):
        raise wrong(
            "it is not the address of an OCI repository", "write oci://HOST/PATH, without tag or digest"
        )
    return value


def _folder(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", value) or ".." in value.split("/"):
        raise wrong(
            "it is not a folder of a repository", "write the path from its top, as in addons/baseline"
        )
    return value


def _day(value: str) -> str:
    remedy = 'write a day as in "2027-01-31", in quotes'
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise wrong("it is not a day", remedy)
    try:
        date.fromisoformat(value)
    except ValueError:
        raise wrong("the calendar has no such day", remedy) from None
    return value


def _annotation(value: str) -> str:
    if len(value) > 1024 or not value.isprintable() or any(sign in value for sign in '"\\{}'):
        raise wrong(
            "a template would break on that text",
            "use one line of at most 1024 characters, without quotation marks, backslashes and braces",
        )
    return value


def _label_key(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        raise wrong(
            "a template cannot read that key: `.metadata.labels.KEY` takes letters, digits and _ alone",
            "use a lower-case letter, then letters, digits and underscores, at most 63 characters",
        )
    if value.startswith("fleet_"):
        raise wrong("keys that start with fleet_ are set by this program", "choose another key")
    return value


def _label_value(value: str) -> str:
    if len(value) > 63:
        raise wrong(f"a label value of {len(value)} characters is too long", "use at most 63 characters")
    if value and not re.fullmatch(r"[a-z0-9]([-a-z0-9_]*[a-z0-9])?", value):
        raise wrong(
            "the cluster carries it at Google Cloud too, which takes no such label value",
            "use lower-case letters, digits, `-` and `_`, with a letter or digit at both ends",
        )
    return value


def _reason(value: str) -> str:
    if len(value.split()) < 2:
        raise wrong("a reviewer cannot tell from that why it is so", "write the reason in a few words")
    return value


def _group(value: str) -> str:
    if ":" in value:
        raise wrong(
            "that is an IAM member, not an e-mail", f"write the address alone: {value.split(':')[-1]}"
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9._+-]*@[a-z0-9-]+(\.[a-z0-9-]+)+", value):
        raise wrong("it is not the e-mail of a group", "write NAME@DOMAIN in lower case")
    if value.endswith(".gserviceaccount.com"):
        raise wrong("that is a service account", "name a group of people; programs have rights of their own")
    if value.endswith(("@gmail.com", "@googlemail.com")):
        raise wrong(
            "that is one person's address", "name a group, so that who may what does not change the fleet"
        )
    return value


def _security_group(value: str) -> str:
    _group(value)
    name, _, domain = value.partition("@")
    if name != "gke-security-groups":
        raise wrong(
            "GKE looks into a group of one fixed name only",
            f"write gke-security-groups@{domain}, and make the operators' groups members of it",
        )
    return value


def _secret_id(value: str) -> str:
    if "/" in value:
        raise wrong("that is a path, not a secret's id", f"write the id alone: {value.split('/')[-1]}")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", value):
        raise wrong(
            "it is not the id of a secret", "use letters, digits, `-` and `_`, as Secret Manager does"
        )
    return value


def _key_name(value: str) -> str:
    match = re.fullmatch(
        r"projects/([^/]+)/locations/([^/]+)/keyRings/[\w-]{1,63}/cryptoKeys/[\w-]{1,63}", value
    )
    if not match:
        raise wrong(
            "it is not the name of a key",
            "write projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY, without a version",
        )
    _project_id(match[1])
    return value


def _machine_type(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*-[a-z0-9]+(-[a-z0-9]+)*", value):
        raise wrong("it is not a machine type", "write one like e2-standard-4")
    return value


def _clock(value: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise wrong("it is not a time of day", 'write hours and minutes in UTC, in quotes, as in "18:00"')
    return value


def _node_label_key(value: str) -> str:
    prefix, _, name = value.rpartition("/")
    if not re.fullmatch(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", name):
        raise wrong("it is not a label's key", "write NAME or PREFIX/NAME, at most 63 characters in NAME")
    if prefix and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", prefix):
        raise wrong("it is not a label's key", "write a domain before the slash, as in acme.example/team")
    if re.search(r"(^|\.)(kubernetes\.io|k8s\.io|google\.com)$", prefix):
        raise wrong(
            "keys of that domain are set by Kubernetes and GKE", "choose a prefix of your own, or none"
        )
    return value


def _node_label_value(value: str) -> str:
    if len(value) > 63 or (value and not re.fullmatch(r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?", value)):
        raise wrong("it is not a label's value", "use at most 63 letters, digits, `-`, `_` and `.`")
    return value


def _api_group(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", value):
        raise wrong(
            "it is not an API group", "write it as `kubectl api-resources` does, as in cert-manager.io"
        )
    return value


def _kind(value: str) -> str:
    if not re.fullmatch(r"([a-z0-9.-]+/)?[A-Z][A-Za-z0-9]*", value):
        raise wrong("it is not a kind", "write GROUP/Kind as in apps/Deployment, or Kind alone as in Secret")
    return value


Name = Annotated[str, _named("name", 63)]
"""An RFC 1035 label: what Kubernetes takes everywhere as a name."""
ClusterName = Annotated[str, _named("cluster name", 40)]
"""GKE takes at most 40 characters."""
Ring = Annotated[str, _named("ring", 63)]
ProjectId = Annotated[str, AfterValidator(_project_id)]
ProjectNumber = Annotated[str, AfterValidator(_project_number)]
Region = Annotated[str, AfterValidator(_region)]
MembershipLocation = Annotated[str, AfterValidator(_membership_location)]
KubernetesMinor = Annotated[str, AfterValidator(_minor)]
ExactVersion = Annotated[str, AfterValidator(_version)]
Commit = Annotated[str, AfterValidator(_commit)]
Pin = Annotated[str, AfterValidator(_pin)]
"""What stays the same for ever: an exact version, a full commit id, or a digest."""
Repository = Annotated[str, AfterValidator(_repository)]
"""https://HOST/PATH of a Helm or Git repository, or oci://HOST/PATH."""
Folder = Annotated[str, AfterValidator(_folder)]
Until = Annotated[str, AfterValidator(_day)]
"""A day as in 2027-01-31. Days compare as text."""
AnnotationText = Annotated[str, AfterValidator(_annotation)]
HttpsUrl = Annotated[str, AfterValidator(_https)]
LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]
Reason = Annotated[str, AfterValidator(_reason)]
Kind = Annotated[str, AfterValidator(_kind)]
ApiGroup = Annotated[str, AfterValidator(_api_group)]
GroupEmail = Annotated[str, AfterValidator(_group)]
SecurityGroup = Annotated[str, AfterValidator(_security_group)]
SecretId = Annotated[str, AfterValidator(_secret_id)]
KeyName = Annotated[str, AfterValidator(_key_name)]
MachineType = Annotated[str, AfterValidator(_machine_type)]
ClockTime = Annotated[str, AfterValidator(_clock)]
NodeLabelKey = Annotated[str, AfterValidator(_node_label_key)]
NodeLabelValue = Annotated[str, AfterValidator(_node_label_value)]
HelmValues = dict[str, Any]
"""Values of a chart, as the chart documents them."""
