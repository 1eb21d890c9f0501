"""Mistakes in how a cluster is made, reached and opened: each is told once, at its place, with what to do.

The configuration is right but for the one thing, so there is exactly one problem each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model import ConfigurationError, load_stack
from tests.model.bad_input import CATALOGUE_FILE, FLEET_FILE, Case, fleet, told
from tests.model.conftest import CATALOGUE, FLEET

HUB = "  - name: hub\n    role: hub\n"
TOKYO = "  - name: tokyo\n"
OSAKA = "  - name: osaka\n"
RANGES = "newSubnetwork: {{nodes: {nodes}, pods: {pods}, services: {services}}}\n"
CERTIFICATE = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
KEY = "projects/acme-shop/locations/{}/keyRings/fleet/cryptoKeys/etcd"


def ranges(nodes: str = "10.0.0.0/22", pods: str = "10.4.0.0/16", services: str = "10.8.0.0/20") -> str:
    return RANGES.format(nodes=nodes, pods=pods, services=services)


def pool(text: str = "", more: str = "") -> str:
    """A standard cluster with one pool; `text` is laid over its keys, `more` stands after it."""
    keys = {"name": "work", "machineType": "e2-standard-4", "minNodes": "1", "maxNodes": "3"}
    keys |= dict(part.split("=", 1) for part in text.split(";") if part)
    written = ", ".join(f"{key}: {value}" for key, value in keys.items() if value != "-")
    return f"mode: standard\nnodePools:\n  - {{{written}}}\n{more}"


def head(name: str, lines: str, path: str, remedy: str, why: str = "") -> Case:
    return fleet(name, "protect: true\n", f"protect: true\n{lines}", path, remedy, why)


def argocd(name: str, line: str, path: str, remedy: str, why: str = "") -> Case:
    return fleet(name, "argocd:\n", f"argocd:\n  {line}\n", f"argocd.{path}", remedy, why)


def _entry(name: str, at: str, index: int, lines: str, path: str, remedy: str, why: str) -> Case:
    added = "".join(f"    {line}\n" for line in lines.splitlines())
    return fleet(name, at, at + added, f"clusters[{index}].{path}", remedy, why)


def tokyo(name: str, lines: str, path: str, remedy: str, why: str = "") -> Case:
    """`lines` stand in the entry of the created member."""
    return _entry(name, TOKYO, 1, lines, path, remedy, why)


def hub(name: str, lines: str, path: str, remedy: str, why: str = "") -> Case:
    return _entry(name, HUB, 0, lines, path, remedy, why)


REGISTERED = "join: registered\nmembership: {id: old, location: global}\n"
AGENT = "join: registered\nmembership: {id: old, location: global, agent: true}\n"
ACCESS = "access: {{securityGroup: {}, groups: {{{}}}}}\n"
GOOD_GROUP = "gke-security-groups@acme.example"

CASES = [
    # Ranges.
    tokyo(
        "host bits",
        ranges(nodes="10.0.1.5/22"),
        "newSubnetwork.nodes",
        "write 10.0.0.0/22",
        "bits beyond the length",
    ),
    tokyo("public range", ranges(pods="34.0.0.0/16"), "newSubnetwork.pods", "10.0.0.0/8", "not private"),
    tokyo("beyond private space", ranges(pods="172.16.0.0/11"), "newSubnetwork.pods", "write 172.0.0.0/11"),
    tokyo("half private", ranges(pods="172.0.0.0/11"), "newSubnetwork.pods", "172.16.0.0/12", "not private"),
    tokyo("no length", ranges(nodes="10.0.0.0"), "newSubnetwork.nodes", "10.0.0.0/20", "without a length"),
    tokyo("no address", ranges(nodes="ten/20"), "newSubnetwork.nodes", "10.0.0.0/20", "not an IPv4 range"),
    tokyo("IPv6", ranges(nodes='"fd00::/64"'), "newSubnetwork.nodes", "10.0.0.0/20", "not an IPv4 range"),
    tokyo("few nodes", ranges(nodes="10.0.0.0/29"), "newSubnetwork.nodes", "write a /28 or greater", "small"),
    tokyo("few pods", ranges(pods="10.4.0.0/22"), "newSubnetwork.pods", "write a /21 or greater", "small"),
    tokyo("many pods", ranges("172.16.0.0/22", "10.0.0.0/8", "172.20.0.0/20"), "newSubnetwork.pods", "/9 or"),
    tokyo("few services", ranges(services="10.8.0.0/28"), "newSubnetwork.services", "/27 or greater"),
    tokyo("many services", ranges(services="10.8.0.0/14"), "newSubnetwork.services", "/16 or smaller"),
    tokyo(
        "pods and services overlap",
        ranges(pods="10.0.0.0/12", nodes="10.64.0.0/22"),
        "newSubnetwork.services",
        "share no address",
        "its own pods, 10.0.0.0/12",
    ),
    tokyo(
        "nodes inside pods",
        ranges(nodes="10.4.4.0/22"),
        "newSubnetwork.pods",
        "share no address",
        "own nodes",
    ),
    tokyo(
        "no pods", "newSubnetwork: {nodes: 10.0.0.0/22, services: 10.8.0.0/20}", "newSubnetwork.pods", "pods:"
    ),
    tokyo("range a number", "newSubnetwork: 10", "newSubnetwork", "keys and values", "a number stands"),
    tokyo(
        "two networks",
        ranges() + "network: {network: default, subnetwork: default}",
        "newSubnetwork",
        "keep one of `network`",
    ),
    tokyo(
        "subnetwork of another region",
        "network: {network: default, subnetwork: projects/acme-shop/regions/us-east1/subnetworks/x}",
        "network.subnetwork",
        "of asia-northeast1",
    ),
    tokyo(
        "network of two projects",
        "network: {network: projects/acme-net/global/networks/x, subnetwork: x, pods: pods, services: services}",
        "network.subnetwork",
        "of one project",
    ),
    tokyo(
        "shared network without a range",
        "network: {network: projects/acme-net/global/networks/x, services: services, "
        "subnetwork: projects/acme-net/regions/asia-northeast1/subnetworks/x}",
        "network.pods",
        "secondary range",
    ),
    tokyo(
        "network as an address",
        "network: {network: https://www.googleapis.com/x, subnetwork: x}",
        "network.network",
        "projects/P/global/networks/N",
    ),
    # Nodes.
    tokyo("standard without pools", "mode: standard", "nodePools", "or drop `mode: standard`"),
    tokyo(
        "pools on autopilot",
        pool().replace("mode: standard\n", ""),
        "nodePools",
        "write `mode: standard`",
        "Autopilot",
    ),
    tokyo("unknown mode", "mode: standart", "mode", "did you mean `standard`?"),
    tokyo("least above most", pool("minNodes=5"), "nodePools[0]", "make maxNodes at least", "at least 5"),
    tokyo(
        "negative nodes", pool("minNodes=-1"), "nodePools[0].minNodes", "least number of nodes in each zone"
    ),
    tokyo("no nodes ever", pool("minNodes=0;maxNodes=0"), "nodePools[0].maxNodes", "greatest number"),
    tokyo("nodes as text", pool('maxNodes="3"'), "nodePools[0].maxNodes", "greatest number of nodes"),
    tokyo("half a node", pool("maxNodes=2.5"), "nodePools[0].maxNodes", "greatest number of nodes"),
    tokyo("no machine", pool("machineType=-"), "nodePools[0].machineType", "add `machineType:`"),
    tokyo("machine in capitals", pool("machineType=N2 Large"), "nodePools[0].machineType", "e2-standard-4"),
    tokyo("small disk", pool("diskGigabytes=5"), "nodePools[0].diskGigabytes", "in GB"),
    tokyo("misspelt pool", pool("machinetype=x"), "nodePools[0].machinetype", "did you mean `machineType`?"),
    tokyo("long pool name", pool(f"name={'p' * 41}"), "nodePools[0].name", "at most 40"),
    tokyo(
        "pool twice",
        pool(more="  - {name: work, machineType: e2-medium, minNodes: 0, maxNodes: 1}\n"),
        "nodePools[1].name",
        "a name of its own",
    ),
    tokyo(
        "pools a map",
        "mode: standard\nnodePools: {work: 1}",
        "nodePools",
        "nodes of a standard cluster",
    ),
    tokyo(
        "unknown effect",
        pool("taints=[{key: a, value: b, effect: NoSchedule}]"),
        "nodePools[0].taints[0].effect",
        "did you mean `NO_SCHEDULE`?",
    ),
    tokyo(
        "taint twice",
        pool("taints=[{key: a, value: b, effect: NO_EXECUTE}, {key: a, value: c, effect: NO_EXECUTE}]"),
        "nodePools[0].taints",
        "keep one",
    ),
    tokyo(
        "label of Kubernetes",
        pool("labels={node.kubernetes.io/role: x}"),
        'nodePools[0].labels["node.kubernetes.io/role"]',
        "a prefix of your own",
    ),
    tokyo(
        "more nodes than addresses",
        pool("maxNodes=20", ranges(nodes="10.0.0.0/27")),
        "newSubnetwork.nodes",
        "smaller `maxNodes`",
        "60 nodes in 3 zones, and it has room for 28",
    ),
    tokyo(
        "more nodes than ranges for pods",
        pool("maxNodes=20", ranges(pods="10.4.0.0/19")),
        "newSubnetwork.pods",
        "greater range",
        "room for 32",
    ),
    # How a created cluster is kept.
    tokyo("paid channel", "channel: EXTENDED", "channel", "known: RAPID, REGULAR, STABLE"),
    tokyo("channel in small letters", "channel: regular", "channel", "RAPID, REGULAR, STABLE"),
    tokyo(
        "short window",
        'maintenance: {days: [SA], start: "18:00", hours: 4}',
        "maintenance",
        "12 at least",
        "48 hours",
    ),
    tokyo(
        "window of an hour",
        'maintenance: {days: [SA], start: "18:00", hours: 1}',
        "maintenance.hours",
        "4 to 24",
    ),
    tokyo(
        "day twice",
        'maintenance: {days: [SA, SA], start: "18:00", hours: 6}',
        "maintenance",
        "every day once",
    ),
    tokyo("no day", 'maintenance: {days: [], start: "18:00", hours: 6}', "maintenance.days", "[SA, SU]"),
    tokyo(
        "day in words",
        'maintenance: {days: [saturday], start: "18:00", hours: 12}',
        "maintenance.days[0]",
        "MO, TU, WE",
    ),
    tokyo(
        "time in base 60",
        "maintenance: {days: [SA], start: 18:00, hours: 12}",
        "maintenance.start",
        'quotes: "18:00"',
    ),
    tokyo(
        "time of no day",
        'maintenance: {days: [SA], start: "25:00", hours: 12}',
        "maintenance.start",
        "in UTC",
    ),
    tokyo(
        "key of another region",
        f"encryptionKey: {KEY.format('asia-northeast2')}",
        "encryptionKey",
        "a key of asia-northeast1",
    ),
    tokyo(
        "version of a key",
        f"encryptionKey: {KEY.format('asia-northeast1')}/cryptoKeyVersions/1",
        "encryptionKey",
        "without a version",
    ),
    tokyo("short key", "encryptionKey: etcd", "encryptionKey", "projects/PROJECT/locations/REGION"),
    *(
        tokyo(
            f"{key} of an existing cluster", f"{REGISTERED}{lines}", key, "join: create", "the cluster exists"
        )
        for key, lines in {
            "mode": "mode: standard",
            "nodePools": "nodePools:\n  - {name: a, machineType: e2-medium, minNodes: 0, maxNodes: 1}",
            "channel": "channel: RAPID",
            "maintenance": 'maintenance: {days: [SA], start: "18:00", hours: 12}',
            "encryptionKey": f"encryptionKey: {KEY.format('asia-northeast1')}",
            "newSubnetwork": ranges(),
            "authorizedNetworks": "authorizedNetworks: {office: 10.0.0.0/8}",
        }.items()
    ),
    # How it is reached.
    tokyo("unknown endpoint", "endpoint: proxy", "endpoint", "known: gateway, dns, private"),
    hub("endpoint on the hub", "endpoint: gateway", "endpoint", "drop the line", "from inside"),
    hub("host on the hub", "dnsHost: gke-a-1.asia-northeast1.gke.goog", "dnsHost", "drop the line"),
    tokyo(
        "host of a created cluster",
        "endpoint: dns\ndnsHost: gke-a-1.asia-northeast1.gke.goog",
        "dnsHost",
        "drop the line",
        "reads it",
    ),
    tokyo("no host", f"{REGISTERED}endpoint: dns", "dnsHost", "add `dnsHost:`"),
    tokyo(
        "host that nobody asks",
        f"{REGISTERED}dnsHost: gke-a-1.asia-northeast1.gke.goog",
        "dnsHost",
        "endpoint: dns",
    ),
    tokyo(
        "host of another region",
        f"{REGISTERED}endpoint: dns\ndnsHost: gke-a-1.us-east1.gke.goog",
        "dnsHost",
        "of this cluster",
    ),
    tokyo(
        "host with a scheme",
        f"{REGISTERED}endpoint: dns\ndnsHost: https://gke-a-1.asia-northeast1.gke.goog",
        "dnsHost",
        "the host alone",
    ),
    tokyo(
        "host of the gateway",
        f"{REGISTERED}endpoint: dns\ndnsHost: connectgateway.googleapis.com",
        "dnsHost",
        "gke-HASH-NUMBER.REGION.gke.goog",
    ),
    tokyo("closed to all", "endpoint: private", "authorizedNetworks", "the hub's ranges"),
    tokyo(
        "open to all",
        'endpoint: private\nauthorizedNetworks: {all: "0.0.0.0/0"}',
        "authorizedNetworks.all",
        "use a part of",
        "not private",
    ),
    tokyo(
        "open to an office on the internet",
        "authorizedNetworks: {office: 203.0.113.0/24}",
        "authorizedNetworks.office",
        "use a part of",
    ),
    tokyo(
        "network without a name",
        "authorizedNetworks: [10.0.0.0/8]",
        "authorizedNetworks",
        "keys and values",
        "a list stands",
    ),
    tokyo("no address", f"{REGISTERED}endpoint: private", "privateEndpoint", "`address` and `caCertificate`"),
    tokyo(
        "address of a created cluster",
        "endpoint: private\nauthorizedNetworks: {hub: 10.0.0.0/8}\n"
        f"privateEndpoint: {{address: 10.0.0.2, caCertificate: {CERTIFICATE}}}",
        "privateEndpoint",
        "drop it",
    ),
    tokyo(
        "address that nobody asks",
        f"{REGISTERED}privateEndpoint: {{address: 10.0.0.2, caCertificate: {CERTIFICATE}}}",
        "privateEndpoint",
        "endpoint: private",
    ),
    tokyo(
        "public address",
        f"{REGISTERED}endpoint: private\nprivateEndpoint: {{address: 34.1.2.3, caCertificate: {CERTIFICATE}}}",
        "privateEndpoint.address",
        "privateEndpoint",
        "is public",
    ),
    tokyo(
        "address with a port",
        f'{REGISTERED}endpoint: private\nprivateEndpoint: {{address: "10.0.0.2:443", caCertificate: {CERTIFICATE}}}',
        "privateEndpoint.address",
        "without scheme and port",
    ),
    tokyo(
        "certificate that is none",
        f"{REGISTERED}endpoint: private\nprivateEndpoint: {{address: 10.0.0.2, caCertificate: aGVsbG8=}}",
        "privateEndpoint.caCertificate",
        "masterAuth.clusterCaCertificate",
        "no PEM",
    ),
    tokyo(
        "certificate in plain",
        f"{REGISTERED}endpoint: private\nprivateEndpoint: {{address: 10.0.0.2, "
        'caCertificate: "-----BEGIN CERTIFICATE-----"}',
        "privateEndpoint.caCertificate",
        "masterAuth.clusterCaCertificate",
        "base64 of it",
    ),
    # Clusters outside GKE.
    tokyo(
        "agent with create",
        "membership: {id: tokyo, location: global, agent: true}",
        "membership",
        "join: registered",
    ),
    tokyo(
        "agent with register",
        "join: register\nmembership: {id: tokyo, location: global, agent: true}",
        "membership.agent",
        "join: registered",
    ),
    tokyo(
        "agent and dns",
        f"{AGENT}endpoint: dns\ndnsHost: gke-a-1.asia-northeast1.gke.goog",
        "endpoint",
        "drop",
    ),
    tokyo("agent and secrets", f"{AGENT}secrets: [a]", "secrets", "a login of its own"),
    hub("hub outside GKE", AGENT, "membership.agent", "drop the line", "the hub is a GKE cluster"),
    # Secrets.
    tokyo("path of a secret", "secrets: [projects/1/secrets/a]", "secrets[0]", "the id alone: a"),
    tokyo("secret with a dot", "secrets: [a.b]", "secrets[0]", "letters, digits"),
    tokyo("one secret", "secrets: a", "secrets", "ids of the secrets"),
    tokyo("secret twice", "secrets: [a, a]", "secrets", "every secret once"),
    tokyo(
        "secrets without who reads them",
        "secrets: [a]\nexclude: {external-secrets: it reads nothing}",
        "secrets",
        "out of `exclude`",
    ),
    # The hub's project, and cells.
    tokyo(
        "reason for nothing",
        "sharesHubProject: it is small",
        "sharesHubProject",
        "drop the line",
        "acme-host",
    ),
    hub("hub beside itself", "sharesHubProject: it is small", "sharesHubProject", "drop", "the hub itself"),
    tokyo("thin reason", "sharesHubProject: because", "sharesHubProject", "in a few words"),
    hub("cell of the hub", "cell: one", "cell", "the hub is a part alone"),
    tokyo("cell in capitals", "cell: Two", "cell", "lower-case letter"),
    # Operators and audit.
    head("audit as text", 'audit: "yes"\n', "audit", "whether Google keeps"),
    head(
        "groups without the security group",
        "access: {groups: {a@acme.example: reader}}\n",
        "access.securityGroup",
        "add `securityGroup:`",
    ),
    head(
        "another security group",
        ACCESS.format("platform@acme.example", "a@acme.example: reader"),
        "access.securityGroup",
        "write gke-security-groups@acme.example",
    ),
    head(
        "two domains",
        ACCESS.format(GOOD_GROUP, "a@acme.example: reader, b@other.example: admin"),
        'access.groups["b@other.example"]',
        "a group of acme.example",
    ),
    head("no group", ACCESS.format(GOOD_GROUP, ""), "access.groups", "groups by e-mail"),
    head(
        "security group as a group",
        ACCESS.format(GOOD_GROUP, f"{GOOD_GROUP}: admin"),
        f'access.groups["{GOOD_GROUP}"]',
        "the groups inside it",
    ),
    head(
        "unknown access",
        ACCESS.format(GOOD_GROUP, "a@acme.example: owner"),
        'access.groups["a@acme.example"]',
        "known: reader, editor, admin",
    ),
    head(
        "IAM member",
        ACCESS.format(GOOD_GROUP, '"group:a@acme.example": reader'),
        'access.groups["group:a@acme.example"]',
        "the address alone: a@acme.example",
    ),
    head(
        "service account as a group",
        ACCESS.format(GOOD_GROUP, "a@x.iam.gserviceaccount.com: reader"),
        'access.groups["a@x.iam.gserviceaccount.com"]',
        "a group of people",
    ),
    head(
        "person as a group",
        ACCESS.format(GOOD_GROUP, "someone@gmail.com: admin"),
        'access.groups["someone@gmail.com"]',
        "name a group",
        "one person's",
    ),
    head(
        "group of no domain",
        ACCESS.format(GOOD_GROUP, "platform: admin"),
        "access.groups.platform",
        "NAME@DOMAIN",
    ),
    head("groups as a list", "access: [a@acme.example]\n", "access", "keys and values", "a list stands"),
    # Whom Argo CD is.
    argocd("unknown identity", "identity: accounts", "identity", "did you mean `account`?"),
    argocd(
        "identity by e-mail", "identity: argocd@acme-host.iam.gserviceaccount.com", "identity", "principal"
    ),
    argocd("exec as text", 'exec: "on"', "exec", "terminal"),
    argocd("exec with a list", "exec: [hub]", "exec", "terminal"),
    argocd(
        "kinds of an add-on that are not looked at",
        'resourceExclusions: [{apiGroups: [""], kinds: [Secret]}]',
        "resourceExclusions",
        "let Secret be looked at",
        "Secret comes with Argo CD itself and add-on external-secrets",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake_is_told_once(case: Case, folder: Callable[..., Path]) -> None:
    problems = told(case, folder)
    assert len(problems) == 1, "\n".join(map(str, problems))


def refused(root: Path) -> list[tuple[str, str, str]]:
    """(file, path, why) of every problem."""
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    return [(problem.file, problem.path, problem.why) for problem in caught.value.problems]


def _with(text: str, at: str, lines: str) -> str:
    assert at in text
    return text.replace(at, at + "".join(f"    {line}\n" for line in lines.splitlines()), 1)


def test_ranges_of_two_clusters_in_one_project_may_not_overlap(folder: Callable[..., Path]) -> None:
    apart = ranges("10.64.0.0/22", "10.4.128.0/17", "10.80.0.0/20")
    text = _with(_with(FLEET, TOKYO, ranges()), OSAKA, apart)
    load_stack(folder(fleet=text), "acme")
    text = text.replace("project: acme-data", "project: acme-shop")
    ((_, path, why),) = refused(folder(fleet=text))
    assert path == "clusters[2].newSubnetwork.pods" and "cluster tokyo's pods, 10.4.0.0/16" in why


def test_range_that_holds_several_is_told_for_each(folder: Callable[..., Path]) -> None:
    text = _with(
        _with(FLEET, TOKYO, ranges()), OSAKA, ranges("192.168.0.0/22", "10.0.0.0/9", "192.168.64.0/20")
    )
    text = text.replace("project: acme-data", "project: acme-shop")
    found = refused(folder(fleet=text))
    assert {path for _, path, _ in found} == {"clusters[2].newSubnetwork.pods"} and len(found) == 3


def test_private_member_has_to_let_the_hub_in(folder: Callable[..., Path]) -> None:
    private = "endpoint: private\nauthorizedNetworks: {{office: {}}}\n"
    text = _with(FLEET, HUB, ranges())
    load_stack(folder(fleet=_with(text, TOKYO, private.format("10.4.0.0/14"))), "acme")
    ((_, path, why),) = refused(folder(fleet=_with(text, TOKYO, private.format("10.5.0.0/16"))))
    assert path == "clusters[1].authorizedNetworks" and "10.4.0.0/16" in why


def test_member_in_the_hubs_project_needs_a_reason(folder: Callable[..., Path]) -> None:
    text = FLEET.replace("project: acme-shop", "project: acme-host")
    ((_, path, why),) = refused(folder(fleet=text))
    assert path == "clusters[1].project" and "could act as Argo CD" in why
    made = load_stack(folder(fleet=_with(text, TOKYO, "sharesHubProject: both are throw-away")), "acme")
    assert made.fleet.members[0].project == made.fleet.hub.project


def test_project_is_in_one_cell(folder: Callable[..., Path]) -> None:
    text = _with(FLEET, OSAKA, "cell: two")
    assert load_stack(folder(fleet=text), "acme").fleet.cells == ("one", "two")
    ((_, path, why),) = refused(folder(fleet=text.replace("project: acme-data", "project: acme-shop")))
    assert path == "clusters[2].cell" and "cluster tokyo of the same project is in the cell one" in why


def test_cell_holds_fifty_clusters(folder: Callable[..., Path]) -> None:
    tokyo_entry = FLEET[FLEET.index(TOKYO) : FLEET.index(OSAKA)]

    def many(count: int) -> str:
        return FLEET + "".join(
            tokyo_entry.replace("name: tokyo", f"name: tokyo-{index}") for index in range(count)
        )

    assert len(load_stack(folder(fleet=many(48)), "acme").fleet.members) == 50
    ((_, path, why),) = refused(folder(fleet=many(60)))
    assert path == "clusters[51].cell" and "more than 50 clusters" in why


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        (
            "endpoint: dns\ndnsHost: gke-a-1.asia-northeast1.gke.goog",
            "endpoint: dns\ndnsHost: gke-a-1.asia-northeast1.gke.goog",
            "dnsHost",
        ),
        (
            f"endpoint: private\nprivateEndpoint: {{address: 10.0.0.2, caCertificate: {CERTIFICATE}}}",
            f"endpoint: private\nprivateEndpoint: {{address: 10.0.0.2, caCertificate: {CERTIFICATE}}}",
            "privateEndpoint.address",
        ),
    ],
    ids=["dns", "private"],
)
def test_two_clusters_may_not_have_one_address(
    folder: Callable[..., Path], first: str, second: str, path: str
) -> None:
    text = FLEET.replace("asia-northeast2", "asia-northeast1")
    text = _with(text, TOKYO, f"join: registered\nmembership: {{id: t, location: global}}\n{first}")
    text = _with(text, OSAKA, f"join: registered\nmembership: {{id: o, location: global}}\n{second}")
    ((_, where, why),) = refused(folder(fleet=text))
    assert where == f"clusters[2].{path}" and "cluster tokyo has that address already" in why


@pytest.mark.parametrize("endpoint", ["dns", "private"])
def test_principal_goes_through_the_gateway_alone(folder: Callable[..., Path], endpoint: str) -> None:
    text = FLEET.replace("argocd:\n", "argocd:\n  identity: principal\n")
    load_stack(folder(fleet=text), "acme")
    networks = "authorizedNetworks: {hub: 10.0.0.0/8}\n"
    ((_, path, why),) = refused(folder(fleet=_with(text, TOKYO, f"endpoint: {endpoint}\n{networks}")))
    assert path == "argocd.identity" and f"cluster tokyo is reached by {endpoint}" in why


def test_secrets_need_the_add_on_that_reads_them(folder: Callable[..., Path]) -> None:
    fleet_text = _with(FLEET, TOKYO, "secrets: [a]")
    load_stack(folder(fleet=fleet_text), "acme")
    other = CATALOGUE.replace("  external-secrets:\n", "  vault:\n")
    plain = fleet_text.replace("      external-secrets:\n", "      vault:\n")
    ((file, path, why),) = refused(folder(fleet=plain, catalogue=other))
    assert (file, path) == (FLEET_FILE, "clusters[1].secrets") and "no such add-on" in why


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("namespace: external-secrets", "namespace: secrets", "namespace"),
        ("      owner: all\n", "      serviceAccount: {name: reader}\n", "values.serviceAccount.name"),
        ("      owner: all\n", "      fullnameOverride: eso\n", "values.fullnameOverride"),
    ],
)
def test_add_on_that_reads_secrets_has_to_be_who_may(
    folder: Callable[..., Path], old: str, new: str, path: str
) -> None:
    changed = CATALOGUE.replace(old, new)
    load_stack(folder(catalogue=changed), "acme")
    ((file, where, why),) = refused(folder(fleet=_with(FLEET, TOKYO, "secrets: [a]"), catalogue=changed))
    assert (file, where) == (CATALOGUE_FILE, f"addons.external-secrets.{path}")
    assert "the ServiceAccount external-secrets in the namespace external-secrets alone" in why


def test_everything_at_once(folder: Callable[..., Path]) -> None:
    text = _with(FLEET, HUB, "endpoint: dns\ncell: one")
    text = _with(text, TOKYO, f"mode: standard\nsecrets: [a, a]\n{ranges(nodes='10.0.0.1/22')}")
    text = _with(text, OSAKA, "endpoint: private\nsharesHubProject: it is small")
    found = [path for _, path, _ in refused(folder(fleet=text.replace("ring: canary", "ring: canari")))]
    assert found == [
        "clusters[0].endpoint",
        "clusters[0].cell",
        "clusters[1].newSubnetwork.nodes",
        "clusters[1].ring",
        "clusters[2].authorizedNetworks",
        "clusters[2].sharesHubProject",
    ], "what one key of an entry hides is what depends on it alone"
