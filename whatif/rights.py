"""The page docs/rights.md: who may do what where. `python -m whatif.rights` writes it from what the programs make.

Owns reading grants and bindings out of the previews of both projects (the fleet's and bootstrap's), and the words for
them. Every role has to have words here and a reason for each who has it: one without them fails the run, so that
nobody gets a right that nobody can explain. A type of grant that this does not know fails it too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.github_actions import subjects
from bootstrap.load import load as load_bootstrap
from bootstrap.rights import CUSTOM_ROLES, RIGHTS
from bootstrap.state import BUCKET_ROLES, KEY_ROLES
from model.load import load_stack
from model.rights import CLUSTER_ROLE, EXEC_ROLE, IMPERSONATION_ROLE

Resource = Mapping[str, Any]
"""{urn, type, name, inputs} as `whatif.preview` gives them."""

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = CHECKOUT / "docs" / "rights.md"
STACK = "prod"

DEPLOYER = "The deployer"
PREVIEW = "The preview account"
WORKFLOWS = "Workflows on GitHub"
AGENT = "The fleet's service agent"
ARGOCD = "Argo CD"
SERVER = "Argo CD's server"
PODS = "Argo CD's pods"
SECRETS = "External Secrets"
OPERATORS = "Groups of people"
NODES = "Nodes"
CONNECT = "The Connect agent"

IDENTITIES: Mapping[str, str] = {
    WORKFLOWS: "Jobs of the one repository, told by its ids and by the subject of their tokens. No key: a token of "
    "GitHub's is exchanged for one of Google's.",
    DEPLOYER: "Made by bootstrap. Runs `pulumi up` of the fleet from reviewed workflows.",
    PREVIEW: "Made by bootstrap. Reads what there is; writes nothing and opens no secret.",
    AGENT: "Google's own, of the fleet host project. It registers clusters.",
    PODS: "ServiceAccounts on the hub. They get tokens from the metadata server of their node; no key exists.",
    ARGOCD: "What Argo CD calls members as: the application controller and the server.",
    SERVER: "Apart from the controller where people may open terminals (`argocd.exec`), so that nothing but the server "
    "can; and with `identity: principal`, where each is itself.",
    SECRETS: "The ServiceAccount of the add-on on a cluster, as the principal that it is: no account stands between. "
    "Clusters of one project share it, so what one may read every one of that project may.",
    OPERATORS: "People come through Connect Gateway as themselves; the group decides. Each group is inside the "
    "security group of the clusters, or it counts for nothing there.",
    NODES: "One account a cluster. Google's default account, which may edit its whole project, is used by none.",
    CONNECT: "Runs in a cluster outside GKE and keeps the line to Google open from inside.",
}
"""Who there is, in the order of the page."""

PERMITS: Mapping[str, str] = {
    "roles/gkehub.serviceAgent": "read and register the project's clusters for the fleet",
    "roles/gkehub.crossProjectServiceAgent": "set the IAM policy of a project, as registering across projects asks for",
    "roles/gkehub.gatewayReader": "send reading requests to every cluster of the fleet",
    "roles/gkehub.gatewayEditor": "send reading and writing requests to every cluster of the fleet, no streams",
    "roles/gkehub.gatewayAdmin": "send every request to every cluster of the fleet, streams too (terminals, ports)",
    "roles/gkehub.viewer": "list the fleet and its memberships",
    "roles/gkehub.editor": "make, change and delete the fleet and its memberships",
    "roles/container.admin": "everything on clusters, and in them past their RBAC",
    "roles/container.clusterViewer": "list clusters and node pools; nothing inside",
    "roles/container.defaultNodeServiceAccount": "write logs and metrics",
    "roles/compute.networkAdmin": "make and change networks, subnetworks, routers; no firewall rules",
    "roles/compute.networkViewer": "see networks, subnetworks, routers",
    "roles/iam.serviceAccountAdmin": "make accounts and say who may act as them",
    "roles/iam.serviceAccountUser": "attach any account of the project to what runs",
    "roles/iam.serviceAccountViewer": "see accounts",
    "roles/iam.securityReviewer": "see every IAM policy of the project",
    "roles/iam.workloadIdentityUser": "act as the account",
    "roles/resourcemanager.projectIamAdmin": "grant roles on the project",
    "roles/serviceusage.serviceUsageAdmin": "enable and disable APIs",
    "roles/serviceusage.serviceUsageViewer": "see which APIs are enabled",
    "roles/secretmanager.secretAccessor": "read the values of the secret",
    "roles/storage.objectUser": "read, write and delete objects",
    "roles/storage.objectViewer": "read objects",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": "encrypt and decrypt with the key",
    **{role.id: f"only {', '.join(f'`{each}`' for each in role.permissions)}" for role in CUSTOM_ROLES},
    CLUSTER_ROLE: "read everything; write the kinds that add-ons are made of, ClusterRoles among them. With these it "
    "could give itself anything: the role shows intent and stops accidents",
    EXEC_ROLE: "open terminals in pods",
    IMPERSONATION_ROLE: "speak as Argo CD, and as nobody else",
    "view": "read most objects, no Secrets",
    "edit": "read and write in every namespace, Secrets too; no RBAC",
    "cluster-admin": "everything in the cluster",
}
"""Role -> what it permits, in words."""

_LOOKS = "reaches members. `gatewayReader` is not enough even to look: access reviews are POSTs"
WHY: Mapping[tuple[str, str], str] = {
    **{
        (DEPLOYER if right.account.value == "deployer" else PREVIEW, right.role): right.why
        for right in RIGHTS
    },
    **{
        (DEPLOYER if account.value == "deployer" else PREVIEW, role): why
        for table in (BUCKET_ROLES, KEY_ROLES)
        for account, (role, why) in table.items()
    },
    (WORKFLOWS, "roles/iam.workloadIdentityUser"): "workflows hold no key",
    (AGENT, "roles/gkehub.serviceAgent"): "without it Google refuses to register a cluster of the project",
    (
        AGENT,
        "roles/gkehub.crossProjectServiceAgent",
    ): "Google asks for it where cluster and fleet are in two projects",
    (PODS, "roles/iam.workloadIdentityUser"): "get tokens of the account without a key",
    (ARGOCD, "roles/gkehub.gatewayEditor"): _LOOKS,
    (SERVER, "roles/gkehub.gatewayEditor"): _LOOKS,
    (
        SERVER,
        "roles/gkehub.gatewayAdmin",
    ): "terminals are streams, and the gateway opens one to no lower role",
    (
        ARGOCD,
        "fleetDnsEndpoint",
    ): "reaches members by their DNS endpoint. Predefined roles would pass RBAC in them",
    (
        SERVER,
        "fleetDnsEndpoint",
    ): "reaches members by their DNS endpoint. Predefined roles would pass RBAC in them",
    (ARGOCD, CLUSTER_ROLE): "delivers add-ons; its cache lists and watches every kind",
    (SERVER, CLUSTER_ROLE): "shows live objects and logs, deletes and restarts what people choose",
    (SERVER, EXEC_ROLE): "terminals; without `argocd.exec` the binding is not there",
    (SECRETS, "roles/secretmanager.secretAccessor"): "brings the named secret into the cluster, no other one",
    (OPERATORS, "roles/gkehub.gatewayReader"): "looks into clusters",
    (OPERATORS, "roles/gkehub.gatewayEditor"): "works in clusters",
    (OPERATORS, "roles/gkehub.gatewayAdmin"): "works in clusters, terminals included",
    (
        OPERATORS,
        "roles/gkehub.viewer",
    ): "`gcloud container fleet memberships get-credentials` lists memberships first",
    (OPERATORS, "view"): "what a reader may do once inside",
    (OPERATORS, "edit"): "what an editor may do once inside",
    (OPERATORS, "cluster-admin"): "what an admin may do once inside",
    (
        NODES,
        "roles/container.defaultNodeServiceAccount",
    ): "a node without it reports nothing, and GKE says so",
    (CONNECT, IMPERSONATION_ROLE): "a cluster outside GKE knows Google's callers by impersonation",
}
"""(who, role) -> why it is needed."""

_ACCOUNTS = {"deployer": DEPLOYER, "preview": PREVIEW, "argocd-hub": ARGOCD, "argocd-server-hub": SERVER}
_FORBIDDEN = ("roles/owner", "roles/editor", "roles/viewer")
_GRANT = re.compile(r"(?i)iam(member|binding|policy)|rolebinding|accesspolicy")
_ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
_WHERE: Mapping[str, tuple[str, str]] = {
    "gcp:projects/iAMMember:IAMMember": ("project", "project"),
    "gcp:serviceaccount/iAMMember:IAMMember": ("account", "serviceAccountId"),
    "gcp:secretmanager/secretIamMember:SecretIamMember": ("secret", "secretId"),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ("bucket", "bucket"),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": ("key", "cryptoKeyId"),
}


class UnexplainedRight(Exception):
    """A right that this page has no words for, or that nobody may have."""


@dataclass(frozen=True, order=True)
class Right:
    """`who` is one of IDENTITIES, `called` its name; `scope` a kind of place and `place` its name there."""

    who: str
    called: str
    role: str
    scope: str
    place: str
    limit: str = ""


def rights(resources: Iterable[Resource]) -> list[Right]:
    """Every right that `resources` give, sorted. Raises UnexplainedRight."""
    resources = list(resources)
    nodes = {
        f"{each['inputs']['accountId']}@{each['inputs']['project']}.iam.gserviceaccount.com"
        for each in resources
        if each["type"] == "gcp:serviceaccount/account:Account" and ":NodeAccount$" in each["urn"]
    }
    found: set[Right] = set()
    for each in resources:
        if each["type"] == _ROLE_BINDING:
            found |= _bound(each)
        elif each["type"] in _WHERE:
            found.add(_granted(each, nodes))
        elif _GRANT.search(each["type"].rpartition(":")[2]):
            raise UnexplainedRight(f"{each['urn']}: whatif/rights.py cannot read grants of this type")
        elif each["type"] == "gcp:serviceaccount/key:Key":
            raise UnexplainedRight(f"{each['urn']}: no account gets a key")
    for right in found:
        if right.role in _FORBIDDEN:
            raise UnexplainedRight(f"{right.called} has {right.role} on {right.place}, which nobody may have")
        if right.role not in PERMITS:
            raise UnexplainedRight(f"say in PERMITS of whatif/rights.py what {right.role} permits")
        if (right.who, right.role) not in WHY:
            raise UnexplainedRight(f"say in WHY of whatif/rights.py why {right.who} needs {right.role}")
    return sorted(found)


def _granted(resource: Resource, nodes: set[str]) -> Right:
    scope, key = _WHERE[resource["type"]]
    inputs = resource["inputs"]
    place = str(inputs[key]).rpartition("/")[2] if scope == "account" else str(inputs[key])
    if scope == "secret":
        place = f"{place.rpartition('/')[2]} of {inputs['project']}"
    member = str(inputs["member"])
    if str(resource["name"]).endswith("-from-github"):
        who, called = WORKFLOWS, "the repository"
    else:
        who, called = _identity(member, nodes)
    limit = str((inputs.get("condition") or {}).get("expression") or "")
    role = str(inputs["role"])
    # A project's own role is its id, in whichever project it is.
    return Right(
        who, called, role if role.startswith("roles/") else role.rpartition("/")[2], scope, place, limit
    )


def _bound(resource: Resource) -> set[Right]:
    inputs = resource["inputs"]
    cluster = str(resource["name"]).removesuffix(f"-{inputs['metadata']['name']}")
    found = set()
    for subject in inputs["subjects"]:
        name = str(subject["name"])
        if subject["kind"] == "ServiceAccount":
            member = f"{subject.get('namespace')}/{name}"
        elif subject["kind"] == "Group":
            member = f"group:{name}"
        else:
            member = name if name.startswith("principal:") else f"serviceAccount:{name}"
        who, called = _identity(member, set())
        found.add(Right(who, called, str(inputs["roleRef"]["name"]), "cluster", cluster))
    return found


def _identity(member: str, nodes: set[str]) -> tuple[str, str]:
    kind, _, name = member.partition(":")
    if member == "gke-connect/connect-agent-sa":
        return CONNECT, member
    if kind == "group":
        return OPERATORS, name
    if kind == "principal":
        namespace, _, account = member.rpartition("/ns/")[2].partition("/sa/")
        if namespace == "argocd":
            return (SERVER if account == "argocd-server" else ARGOCD), member
        if namespace == "external-secrets":
            return SECRETS, member
    if kind == "serviceAccount":
        account, _, domain = name.partition("@")
        if re.search(r"\.svc\.id\.goog\[argocd/", name):
            return PODS, name
        if re.fullmatch(r"service-\d+@gcp-sa-gkehub\.iam\.gserviceaccount\.com", name):
            return AGENT, name
        if name in nodes:
            return NODES, name
        if account in _ACCOUNTS and domain.endswith(".iam.gserviceaccount.com"):
            return _ACCOUNTS[account], name
    raise UnexplainedRight(f"whatif/rights.py knows no identity {member}")


_HEAD = """\
# Who may do what, where

*Written by `python -m whatif.rights` from what the two programs make for the stack `{stack}`: the fleet
(`stacks/{stack}.fleet.yaml`) and what stands under it (`bootstrap/{stack}.yaml`). After a change of either, run it
again; `python -m whatif.rights STACK` prints the same for another stack.*

For whoever reviews the security of a fleet. What a role permits is put in words from Google's and Kubernetes'
documentation, shortened; the grants are read from previews on paper. Nothing of this was tried on Google Cloud.

## The way of a request

Argo CD reads or writes an object in a member:

```mermaid
flowchart LR
  pod["Argo CD's pod on the hub<br/>ServiceAccount argocd-application-controller"]
  meta["metadata server of the node"]
  account["account argocd-hub"]
  gateway["Connect Gateway<br/>in the fleet host project"]
  api["API server of the member"]
  yes["done"]
  no["403"]
  pod -- "1 token, please" --> meta
  meta -- "2 workloadIdentityUser on the account?" --> account
  pod -- "3 request with the token" --> gateway
  gateway -- "4 gatewayEditor on the host project?" --> api
  api -- "5 RBAC: ClusterRole fleet-argocd for that user" --> yes
  api -- "6 RBAC says nothing: IAM on the member's project?" --> no
```

Step 6 is why Argo CD has no role on a member's project: GKE asks IAM where RBAC says nothing, and
`container.developer` there would pass what no ClusterRole shows. Steps 3 and 4 differ by endpoint: `dns` asks for
`container.clusters.connect` on the member's project (the custom role `fleetDnsEndpoint`, and nothing else is in it),
`private` asks for no role but a place in the network. A person takes the same way through the gateway, with a group in
steps 4 and 5.

A pull request has no account at all: it is previewed on paper.
"""

_TAIL = """
## What is not on this page

- **Argo CD on the hub itself.** Its chart binds the application controller and the server to ClusterRoles of their own
  there, the controller's may do everything. Whoever may write Applications of the project `argocd` may do that too; the
  AppProjects say who (`model/argocd.py`).
- **Who may approve a deployment**: reviewers of the repository's environment, on GitHub.
- **Owners** of projects, folder and organization. They ran bootstrap and give their rights back afterwards.
- **Google's other service agents** (Kubernetes Engine, Compute Engine), whose roles Google grants as an API is enabled.
- **What add-ons bring**: each chart's own RBAC, in the member it is delivered to.
"""


def page(found: Sequence[Right], stack: str, notes: Mapping[str, str]) -> str:
    """The page. `notes`: sentence by identity, beside what IDENTITIES says of each."""
    parts = [_HEAD.format(stack=stack), _nobody(found)]
    for who, description in IDENTITIES.items():
        own = [right for right in found if right.who == who]
        if own:
            parts.append(_section(who, " ".join(filter(None, (description, notes.get(who)))), own))
    used = {(right.who, right.role) for right in found}
    rows = [
        f"| `{role}` | {who} | {PERMITS[role]} | {why} |"
        for (who, role), why in WHY.items()
        if (who, role) not in used
    ]
    if rows:
        parts.append(
            "\n## What other settings bring\n\nRights that this stack does not give. They come with `argocd.exec`, "
            "other endpoints and identities, memberships with an `agent`, or other groups.\n\n"
            "| role | who | permits | why |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "".join(parts) + _TAIL


def _nobody(found: Sequence[Right]) -> str:
    """What holds for all of `found`; raises UnexplainedRight where it does not."""
    inside = {right.role for right in found if right.who in (ARGOCD, SERVER) and right.scope == "project"}
    past_rbac = sorted(role for role in inside if role.startswith("roles/container."))
    if past_rbac:
        raise UnexplainedRight(
            f"Argo CD has {', '.join(past_rbac)} on a project: that passes what RBAC does not"
        )
    admins = sorted({right.who for right in found if right.role == "roles/container.admin"})
    if admins != [DEPLOYER]:
        raise UnexplainedRight(
            f"container.admin is with {', '.join(admins) or 'nobody'}, and is the deployer's alone"
        )
    return """
## What nobody has

The run that writes this page fails where one of these no longer holds:

- no key of any account;
- `roles/owner`, `roles/editor` or `roles/viewer`;
- as Argo CD, any role of Kubernetes Engine on any project;
- `roles/container.admin`, but for the deployer. It is the one account that passes RBAC in every cluster: whoever can
  run a job in the reviewed environment of the repository can do anything in the fleet.
"""


def _section(who: str, description: str, own: Sequence[Right]) -> str:
    called = sorted({right.called for right in own})
    one = len(called) == 1
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for right in own:
        key = ("" if one else right.called, right.role, right.scope, right.limit)
        rows.setdefault(key, []).append(right.place)
    head = ["role", "permits", "where", "why"] if one else ["who", "role", "permits", "where", "why"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for (name, role, scope, limit), places in rows.items():
        permits = PERMITS[role]
        if limit:
            listed = ", ".join(
                f"`{each}`" for each in re.findall(r"'([^']+)'", limit.partition("hasOnly")[2])
            )
            permits += f": only {listed}"
        where = f"{scope if len(places) == 1 else scope + 's'} {', '.join(f'`{place}`' for place in places)}"
        cells = [f"`{role}`", permits, where, WHY[who, role]]
        lines.append("| " + " | ".join([*([] if one else [f"`{name}`"]), *cells]) + " |")
    name = f" `{called[0]}`." if one and called[0] != "the repository" else ""
    return f"\n## {who}\n\n{description}{name}\n\n" + "\n".join(lines) + "\n"


def made(checkout: Path, stack: str, cli: Path) -> str:
    """The page for `stack` of both projects in `checkout`, by previews with the Pulumi CLI at `cli`."""
    from whatif.preview import preview

    resources: list[Resource] = []
    for folder in (checkout, checkout / "bootstrap"):
        answer = preview(folder, stack, cli=cli)
        if answer.exit_code != 0:
            raise UnexplainedRight(f"{folder} cannot be previewed: {'; '.join(answer.diagnostics)}")
        resources += answer.resources
    return page(rights(resources), stack, notes(checkout, stack))


def notes(checkout: Path, stack: str) -> dict[str, str]:
    """What the graph does not show of an identity: subjects of tokens, and what is logged."""
    told = subjects(load_bootstrap(checkout / "bootstrap", stack).github)
    jobs = " and ".join(f"`{subject}` becomes {account.value}" for account, subject in told.items())
    fleet = load_stack(checkout / "stacks", stack).fleet
    logged = "is logged (Data Access)" if fleet.audit else "is not logged (`audit`)"
    return {
        WORKFLOWS: f"Here {jobs}.",
        OPERATORS: f"Who reads through the gateway {logged}; who writes always is.",
    }


def main() -> None:
    """Write the page, or print that of another stack."""
    from sandbox.tools import ensure

    stack = sys.argv[1] if len(sys.argv) > 1 else STACK
    text = made(CHECKOUT, stack, ensure("pulumi", lambda line: print(line, file=sys.stderr)) / "pulumi")
    if stack == STACK:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
