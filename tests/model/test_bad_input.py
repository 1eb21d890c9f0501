"""Every mistake that a person can make in a configuration is told with file, path and remedy.

Each case changes one thing in a good configuration. It does not prove that no other mistake exists; it holds
those that are known to their words, because people act on these.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model import ConfigurationError, load_stack
from tests.model.bad_input import CATALOGUE_FILE, FLEET_FILE, Case, catalogue, fleet, stack, told
from tests.model.conftest import CATALOGUE, FLEET, STACK

TOKYO = "  - name: tokyo\n    project: acme-shop\n"
CASES = [
    # The file as such.
    fleet("not YAML", None, "clusters: [", "", "correct the indentation", "not YAML at line 1"),
    fleet("tab", None, "hostProject:\n\t- x\n", "", "correct the indentation"),
    fleet("empty", None, "", "", "give it the keys hostProject, projects"),
    fleet("a list", None, "- a\n- b\n", "", "give it the keys", "has to be a map"),
    fleet(
        "anchor", "  acme-shop: ", "  acme-more: *x\n  acme-shop: ", "", "indentation", "anchors and aliases"
    ),
    fleet(
        "duplicate key",
        "    ring: canary\n",
        "    ring: canary\n    ring: dev\n",
        "clusters[1].ring",
        "keep one",
    ),
    fleet("number as key", "      team: shop", "      1: shop", "clusters[1].labels.1", 'quotes: "1"'),
    # The head.
    fleet(
        "unknown key", "protect: true", "protect: true\nprotcet: true", "protcet", "did you mean `protect`?"
    ),
    fleet("no protect", "protect: true\n", "", "protect", "add `protect:` whether clusters are safe"),
    fleet("text for yes", "protect: true", 'protect: "true"', "protect", "whether clusters are safe"),
    fleet("no host", "hostProject: acme-host\n", "", "hostProject", "add `hostProject:`"),
    fleet(
        "foreign host",
        "hostProject: acme-host",
        "hostProject: acme-hosts",
        "hostProject",
        "mean `acme-host`?",
    ),
    fleet("bare number", '"100000000002"', "100000000002", "projects.acme-shop", 'quotes: "100000000002"'),
    fleet("number of words", '"100000000002"', '"shop"', "projects.acme-shop", "gcloud projects describe"),
    fleet("number twice", '"100000000003"', '"100000000002"', "projects.acme-data", "one of the two numbers"),
    fleet("project id", "  acme-shop:", "  Acme:", "projects.Acme", "6 to 30 lower-case letters"),
    fleet("numeric id", "  acme-shop:", '  "100000000009":', "projects.100000000009", "use the project's id"),
    fleet(
        "fast loop",
        "reconciliationSeconds: 60",
        "reconciliationSeconds: 1",
        "argocd.reconciliationSeconds",
        "seconds",
    ),
    fleet(
        "unknown setting",
        "  reconciliationSeconds",
        "  reconcilationSeconds",
        "argocd.reconcilationSeconds",
        "did you",
    ),
    fleet(
        "no replicas",
        "argocd:\n",
        "argocd:\n  replicas: {server: 0}\n",
        "argocd.replicas.server",
        "API servers",
    ),
    # Clusters.
    fleet(
        "no cluster",
        FLEET[FLEET.index("clusters:") :],
        "clusters: []\n",
        "clusters",
        "add an entry for the hub",
    ),
    fleet(
        "clusters a map",
        FLEET[FLEET.index("clusters:") :],
        "clusters: {a: 1}\n",
        "clusters",
        "starts with `- name:`",
    ),
    fleet("cluster is text", TOKYO, "  - tokyo\n" + TOKYO, "clusters[1]", "write keys and values"),
    fleet(
        "no project", TOKYO, "  - name: tokyo\n", "clusters[1].project", "add `project:` id of the project"
    ),
    fleet(
        "foreign project",
        "project: acme-shop",
        "project: acme-shpo",
        "clusters[1].project",
        "mean `acme-shop`?",
    ),
    fleet(
        "project number",
        "project: acme-shop",
        'project: "100000000002"',
        "clusters[1].project",
        "project's id",
    ),
    fleet("same name", "name: tokyo", "name: hub", "clusters[1].name", "a name of its own"),
    fleet("capitals", "name: tokyo", "name: Tokyo", "clusters[1].name", "lower-case letter"),
    fleet("long name", "name: tokyo", f"name: t{'o' * 40}", "clusters[1].name", "at most 40 characters"),
    fleet("unknown ring", "ring: canary", "ring: canari", "clusters[1].ring", "did you mean `canary`?"),
    fleet(
        "zone",
        "location: asia-northeast2",
        "location: asia-northeast2-a",
        "clusters[2].location",
        "asia-northeast2",
    ),
    fleet(
        "no region",
        "location: asia-northeast2",
        "location: asia-nrtheast2",
        "clusters[2].location",
        "did you mean",
    ),
    fleet("bare minor", 'kubernetes: "1.35"', "kubernetes: 1.35", "clusters[2].kubernetes", 'quotes: "1.35"'),
    fleet(
        "old minor", 'kubernetes: "1.35"', 'kubernetes: "1.19"', "clusters[2].kubernetes", "use one of 1.33"
    ),
    fleet("patch", 'kubernetes: "1.35"', 'kubernetes: "1.35.2"', "clusters[2].kubernetes", "the patch is"),
    fleet(
        "untried minor",
        'kubernetes: "1.35"',
        'kubernetes: "1.33"',
        "clusters[2].kubernetes",
        "exclude external-secrets",
    ),
    fleet("no hub", "    role: hub\n", "", "clusters", "give one cluster `role: hub`"),
    fleet("two hubs", TOKYO, TOKYO + "    role: hub\n", "clusters[1].role", "leave `role: hub` at one"),
    fleet("unknown role", "role: hub", "role: hubb", "clusters[0].role", "did you mean `hub`?"),
    fleet(
        "beside the hub", "project: acme-shop", "project: acme-host", "clusters[1].project", "without the hub"
    ),
    fleet(
        "label key",
        "      team: shop",
        "      team/name: shop",
        "clusters[1].labels.team/name",
        "underscores",
    ),
    fleet("own label key", "team: shop", "fleet_ring: shop", "clusters[1].labels.fleet_ring", "another key"),
    fleet("long label", "team: shop", f"team: {'s' * 64}", "clusters[1].labels.team", "at most 63"),
    fleet("label form", "team: shop", "team: a.B", "clusters[1].labels.team", "lower-case letters"),
    fleet("label number", "team: shop", "team: 7", "clusters[1].labels.team", 'quotes: "7"'),
    fleet("unknown key here", TOKYO, TOKYO + "    rings: x\n", "clusters[1].rings", "did you mean `ring`?"),
    fleet("how to join", TOKYO, TOKYO + "    join: created\n", "clusters[1].join", "did you mean `create`?"),
    # Leaving.
    fleet(
        "silent leaving",
        TOKYO,
        TOKYO + "    lifecycle: leaving\n",
        "clusters[1].lifecycle",
        "workloads: keep",
    ),
    fleet(
        "stray workloads", TOKYO, TOKYO + "    workloads: keep\n", "clusters[1].workloads", "drop the line"
    ),
    fleet(
        "leaving hub",
        "    role: hub\n",
        "    role: hub\n    lifecycle: leaving\n    workloads: keep\n",
        "clusters[0].lifecycle",
        "pulumi destroy",
    ),
    catalogue(
        "removal without a place",
        CATALOGUE[CATALOGUE.index("emptySource") : CATALOGUE.index("addons")],
        "",
        "emptySource",
        "add `emptySource:`",
    ),
    # Memberships.
    fleet(
        "membership twice",
        "  - name: osaka\n",
        "  - name: osaka\n    join: registered\n    membership: {id: tokyo, location: asia-northeast1}\n",
        "clusters[2].membership",
        "give each its own membership",
    ),
    fleet(
        "membership of a new cluster",
        TOKYO,
        TOKYO + "    membership: {id: other, location: global}\n",
        "clusters[1].membership",
        "join: registered",
    ),
    fleet(
        "network of an old cluster",
        TOKYO,
        TOKYO + "    join: register\n    network: {network: a, subnetwork: b}\n",
        "clusters[1].network",
        "join: create",
    ),
    # Add-ons on clusters.
    fleet(
        "override of nothing",
        "      external-secrets:\n",
        "      external-sectets:\n",
        "clusters[2].addons.external-sectets",
        "mean `external-secrets`?",
    ),
    fleet(
        "exclusion of nothing",
        TOKYO,
        TOKYO + "    exclude: {external-sectets: it has none}\n",
        "clusters[1].exclude.external-sectets",
        "mean `external-secrets`?",
    ),
    fleet(
        "both ways",
        "    addons:\n",
        "    exclude: {external-secrets: it has none}\n    addons:\n",
        "clusters[2].addons.external-secrets",
        "keep one of",
    ),
    fleet(
        "no reason",
        "        reason: tries the new one first\n",
        "",
        "clusters[2].addons.external-secrets.reason",
        "add `reason:`",
    ),
    fleet(
        "thin reason",
        "tries the new one first",
        "because",
        "clusters[2].addons.external-secrets.reason",
        "a few words",
    ),
    fleet(
        "changes nothing",
        "        version: 1.4.0\n",
        "",
        "clusters[2].addons.external-secrets",
        "give `version` or `values`",
    ),
    fleet(
        "two parts",
        "1.4.0",
        '"1.2"',
        "clusters[2].addons.external-secrets.version",
        "all three parts",
        "range to Helm",
    ),
    fleet("a number", "1.4.0", "1.2", "clusters[2].addons.external-secrets.version", 'quotes: "1.2"'),
    # The catalogue.
    catalogue("no such file", None, "rings: [", "", "correct the indentation"),
    catalogue(
        "latest",
        "version: 1.3.1",
        "version: latest",
        "addons.external-secrets.version",
        "three parts",
        "moving name",
    ),
    catalogue(
        "HEAD",
        "version: 1.3.1",
        "version: HEAD",
        "addons.external-secrets.version",
        "three parts",
        "moving name",
    ),
    catalogue(
        "caret",
        "version: 1.3.1",
        "version: ^1.3.1",
        "addons.external-secrets.version",
        "three parts",
        "a range floats",
    ),
    catalogue(
        "star",
        "version: 1.3.1",
        "version: 1.3.*",
        "addons.external-secrets.version",
        "three parts",
        "a range floats",
    ),
    catalogue("argo version", "10.3.3", '"10.3"', "argocd.version", "three parts"),
    catalogue(
        "ring version", "canary: 1.3.2", "canary: 1.x", "addons.external-secrets.rings.canary", "three parts"
    ),
    catalogue(
        "ring of nobody",
        "canary: 1.3.2",
        "canari: 1.3.2",
        "addons.external-secrets.rings.canari",
        "mean `canary`?",
    ),
    catalogue(
        "ring twice", "[dev, canary, stable]", "[dev, dev, canary, stable]", "rings", "every ring once"
    ),
    catalogue("no rings", "rings: [dev, canary, stable]", "rings: []", "rings", "list the rings in order"),
    catalogue(
        "http",
        "https://charts.example.org\n",
        "http://charts.example.org\n",
        "addons.external-secrets.repository",
        "https://",
    ),
    catalogue(
        "no namespace",
        "    namespace: external-secrets\n",
        "",
        "addons.external-secrets.namespace",
        "add `namespace:`",
    ),
    catalogue(
        "short commit",
        "0123456789abcdef0123456789abcdef01234567",
        "main",
        "emptySource.revision",
        "40 digits",
    ),
    catalogue(
        "argocd as add-on",
        "  external-secrets:\n    chart",
        "  argocd:\n    chart",
        "addons.argocd",
        "another name",
    ),
    catalogue(
        "kind",
        "[Secret, apps/Deployment]",
        "['*']",
        "addons.external-secrets.kinds.namespaced[0]",
        "GROUP/Kind",
    ),
    catalogue(
        "unchecked template",
        "owner: all",
        "owner: '{{ index .metadata.labels \"team\" }}'",
        "addons.external-secrets.values.owner",
        "write `{{ .metadata.labels.KEY }}`",
    ),
    catalogue("misspelt section", "addons:\n", "addon:\n", "addon", "did you mean `addons`?"),
    # The stack file.
    stack(
        "no fleet named",
        "  gke-fleet:fleet: acme\n",
        "  gcp:project: x\n",
        "config.gke-fleet:fleet",
        "NAME.fleet.yaml",
    ),
    stack("fleet of nobody", "fleet: acme", "fleet: acmee", "config.gke-fleet:fleet", "did you mean `acme`?"),
    stack("no config", STACK, "encryptionsalt: v1:x\n", "config", "write `config:`"),
    stack(
        "mirror over http",
        STACK,
        STACK + "  gke-fleet:mirror: http://m.example.org\n",
        "config.gke-fleet:mirror",
        "https",
    ),
    stack(
        "no such part",
        STACK,
        STACK + "  gke-fleet:part: hubb\n",
        "config.gke-fleet:part",
        "did you mean `hub`?",
    ),
    stack(
        "part of all members",
        STACK,
        STACK + "  gke-fleet:part: members\n",
        "config.gke-fleet:part",
        "members/one",
    ),
    stack(
        "part of a cell that does not exist",
        STACK,
        STACK + "  gke-fleet:part: members/two\n",
        "config.gke-fleet:part",
        "did you mean `members/one`?",
        "no member is in the cell `two`",
    ),
    stack("part a number", STACK, STACK + "  gke-fleet:part: 1\n", "config.gke-fleet:part", "in quotes"),
    stack(
        "no such setting",
        STACK,
        STACK + "  gke-fleet:miror: x\n",
        "config.gke-fleet:miror",
        "gke-fleet:mirror",
    ),
    stack(
        "time",
        STACK,
        STACK + "  gke-fleet:readinessTimeout: soon\n",
        "config.gke-fleet:readinessTimeout",
        "seconds",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake_is_told(case: Case, folder: Callable[..., Path]) -> None:
    problems = told(case, folder)
    if not case.path:
        assert len(problems) == 1, "a file that cannot be read has no other mistakes"


def test_label_that_a_template_reads_has_to_be_there(folder: Callable[..., Path]) -> None:
    root = folder(catalogue=CATALOGUE.replace("owner: all", 'owner: "{{ .metadata.labels.team }}"'))
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    (problem,) = caught.value.problems
    assert (problem.file, problem.path) == (FLEET_FILE, "clusters[0].labels.team")
    assert "external-secrets reads that label" in problem.why and "cluster hub has none" in problem.why
    assert "add `team:`" in problem.remedy


def test_name_of_an_application_has_to_fit_into_a_label(folder: Callable[..., Path]) -> None:
    long = "external-secrets-" + "s" * 30
    root = folder(
        fleet=FLEET.replace("name: osaka", f"name: {'o' * 38}").replace(
            "      external-secrets:", f"      {long}:"
        ),
        catalogue=CATALOGUE.replace("  external-secrets:\n", f"  {long}:\n"),
    )
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    (problem,) = caught.value.problems
    assert problem.path == "clusters[2].name" and "shorten" in problem.remedy


def test_stack_and_files_that_do_not_exist(folder: Callable[..., Path]) -> None:
    root = folder()
    with pytest.raises(ConfigurationError, match="did you mean `acme`"):
        load_stack(root, "acne")
    (root / "catalog.yaml").unlink()
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    assert [p.remedy for p in caught.value.problems if p.file == CATALOGUE_FILE] == [
        "create stacks/catalog.yaml"
    ]


def test_all_mistakes_at_once_with_lines_and_as_written(folder: Callable[..., Path]) -> None:
    root = folder(
        fleet=FLEET.replace("ring: canary", "ring: canari")
        .replace('kubernetes: "1.35"', "kubernetes: 1.30")
        .replace("protect: true", "protcet: true"),
        catalogue=CATALOGUE.replace("version: 1.3.1", "version: latest"),
    )
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    problems = caught.value.problems
    assert [(p.file, p.path, p.line) for p in problems] == [
        (FLEET_FILE, "protect", 1),
        (FLEET_FILE, "protcet", 6),
        (FLEET_FILE, "clusters[1].ring", 20),
        (FLEET_FILE, "clusters[2].kubernetes", 26),
        (CATALOGUE_FILE, "addons.external-secrets.version", 15),
    ]
    assert problems[3].value == "1.30"
    assert str(caught.value).startswith(
        "5 configuration errors\n  stacks/acme.fleet.yaml:1: protect: it is missing"
    )


def test_good_configuration_loads(folder: Callable[..., Path]) -> None:
    assert len(load_stack(folder(), "acme").applications) == 4
