"""The rendered difference: comparing, hiding, grouping, and what cannot be reached.

What this does not prove: that a cluster shows the same difference. Defaults of a server, what a chart looks up in a
cluster, and the cluster's own list of APIs are not seen here.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.mirror import git
from sandbox.mirror.archive import Chart
from sandbox.tools import ensure
from whatif.answer import Change, ChangeKind, Effect, Manifest
from whatif.manifests import Reach, local_mirror, manifests
from whatif.manifests.delivered import Unrendered, delivered
from whatif.manifests.hidden import hide
from whatif.manifests.objects import RANDOM, Comparison, Difference, Rendered, split
from whatif.manifests.render import edited

SECRET = "hunter2-and-more"
OTHER = "hunter3"

Object = dict[str, Any]


def made(kind: str = "ConfigMap", name: str = "one", **fields: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "here"}, **fields}


def rendered(*objects: Object, again: tuple[Object, ...] | None = None) -> Rendered:
    texts = [tuple(yaml.safe_dump(one) for one in side) for side in (objects, again or ())]
    return Rendered(texts[0], None if again is None else texts[1])


def compared(base: Rendered, head: Rendered) -> Difference:
    return Comparison().compare(base, head)


# Comparing


def test_documents_are_split_at_their_marks_and_nowhere_else() -> None:
    text = "---\n# Source: a\na: |\n  ---\n  b\n--- \n\n# nothing\n---\nc: '---'\n"
    assert [yaml.safe_load(one) for one in split(text)] == [{"a": "---\nb\n"}, {"c": "---"}]


def test_objects_are_added_changed_and_removed() -> None:
    base = rendered(made(name="gone"), made(name="same"), made(name="other", data={"a": "1"}))
    head = rendered(made(name="new"), made(name="same"), made(name="other", data={"a": "2"}))
    found = compared(base, head)
    assert found.objects == [
        "ConfigMap here/gone: removed",
        "ConfigMap here/new: added",
        "ConfigMap here/other: changed, +1 -1 lines",
    ]
    assert "-  a: '1'\n+  a: '2'" in found.diff
    assert "same" not in found.diff


def test_order_comments_and_lists_are_no_difference() -> None:
    one, two = made(name="a", data={"x": "1", "y": "2"}), made(name="b")
    base = Rendered(split(f"---\n# Source: x\n{yaml.safe_dump(one)}---\n{yaml.safe_dump(two)}"))
    head = rendered({"apiVersion": "v1", "kind": "List", "items": [two, dict(reversed(one.items()))]})
    assert compared(base, head) == Difference()


def test_a_new_version_of_the_api_is_a_change_of_the_same_object() -> None:
    base = {**made("Lock"), "apiVersion": "x.dev/v1beta1"}
    assert compared(rendered(base), rendered({**base, "apiVersion": "x.dev/v1"})).objects == [
        "Lock here/one: changed, +1 -1 lines"
    ]
    assert len(compared(rendered(base), rendered({**base, "apiVersion": "y.dev/v1"})).objects) == 2


def test_objects_that_differ_in_labels_of_the_version_alone_are_counted() -> None:
    def labelled(name: str, version: str, **labels: str) -> Object:
        metadata = {"name": name, "labels": {"helm.sh/chart": f"x-{version}", **labels}}
        return {"kind": "Job", "metadata": metadata, "spec": {"template": {"metadata": dict(metadata)}}}

    base = rendered(labelled("a", "1"), labelled("b", "1"), labelled("c", "1", more="1"))
    found = compared(base, rendered(labelled("a", "2"), labelled("b", "2"), labelled("c", "2", more="2")))
    alone = "changed, only the labels app.kubernetes.io/version and helm.sh/chart"
    assert found.objects == [f"Job a: {alone}", f"Job b: {alone}", "Job c: changed, +4 -4 lines"]
    assert "Job a" not in found.diff
    assert found.diff.endswith(f"\n... 2 objects: {alone}")


def test_what_is_left_out_is_counted() -> None:
    text = "\n".join(str(number) for number in range(1000))
    diff = compared(rendered(), rendered(made(data={"a": text}))).diff.splitlines()
    # Two headings, one position, seven lines around 1000 lines of text.
    assert diff[-1] == f"... {2 + 1 + 7 + 1000 - 40} more lines"
    many = [made(name=f"{number:04}", data={"a": "x" * 300, "b": "y" * 300}) for number in range(1000)]
    found = compared(rendered(), rendered(*many))
    assert len(found.objects) == 1000
    shown = found.diff.count("+++ ConfigMap")
    assert f"... {1000 - shown} more objects, {11 * (1000 - shown)} more lines" in found.diff
    assert len(found.diff) < 301_000


def test_what_is_random_is_said_and_is_no_difference() -> None:
    once, twice = (made("Secret", data={"ca": word, "fixed": "YQ=="}) for word in ("YWE=", "YmI="))
    before = made("Secret", data={"ca": "Y2M=", "fixed": "YQ=="})
    again = made("Secret", data={"ca": "ZGQ=", "fixed": "YQ=="})
    assert compared(rendered(before, again=(again,)), rendered(once, again=(twice,))) == Difference()
    jobs = [made("Job", name=f"job-{word}") for word in "abcd"]
    found = compared(rendered(), rendered(jobs[0], again=(jobs[1],)))
    assert found.objects == [f"Job here/{RANDOM}: added"]


def test_aliases_that_make_billions_are_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Unrendered, match="more than 500000 parts"):
        compared(Rendered(), Rendered(("\n".join(lines),)))
    with pytest.raises(Unrendered, match="is not YAML"):
        compared(Rendered(), Rendered(("a: [",)))


# Hiding


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pod(container: Object) -> Object:
    return made("Pod", spec={"containers": [{"name": "main", **container}]})


PLACES = {
    "data of a Secret": lambda word: made("Secret", data={"plain": b64(word)}),
    "stringData of a Secret": lambda word: made("Secret", stringData={"plain": word}),
    "a variable": lambda word: pod(
        {"env": [{"name": "A", "value": "b"}, {"name": "DB_PASSWORD", "value": word}]}
    ),
    "a flag": lambda word: pod({"args": ["--verbose", f"--api-token={word}"]}),
    "the word after a flag": lambda word: pod({"command": ["run", "--password", word]}),
    "a key": lambda word: made(data={"client-secret": word}),
    "a key of a resource": lambda word: made("Thing", spec={"auth": {"accessKey": word}}),
    "a list": lambda word: made("Thing", spec={"tokens": ["x", word]}),
    "a line of a file": lambda word: made(data={"app.conf": f"a: b\n  password: {word}\nc: d\n"}),
    "a line of INI": lambda word: made(data={"app.ini": f"[x]\nsecret_key = {word}\n"}),
    "JSON in a text": lambda word: made(data={"a.json": json.dumps({"a": [{"password": word}]})}),
    "a script": lambda word: pod({"args": [f"set -e\nlogin --password {word} --now\n"]}),
    "an address": lambda word: pod(
        {"env": [{"name": "DATABASE", "value": f"postgres://me:{word}@db:5432/x"}]}
    ),
    "a private key": lambda word: made(
        data={"x": f"-----BEGIN RSA PRIVATE KEY-----\n{word}\n-----END RSA PRIVATE KEY-----\n"}
    ),
    "a token of a known form": lambda word: made(data={"x": f"go ghp_{word}{word} on"}),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_not_shown_and_its_change_is(place: str) -> None:
    one, two = PLACES[place](SECRET), PLACES[place](OTHER)
    for base, head in (((), (one,)), ((one,), ()), ((one,), (two,))):
        diff = compared(rendered(*base), rendered(*head)).diff
        assert "[hidden" in diff
        assert not any(word in diff for word in (SECRET, OTHER, b64(SECRET), b64(OTHER)))
        assert ("changed]" in diff) == (bool(base) and bool(head))
    # Of the same length, which shows nothing else.
    same = PLACES[place]("x" * len(SECRET))
    assert "changed]" in compared(rendered(one), rendered(same)).diff


def test_the_length_is_that_of_the_content() -> None:
    assert (
        "plain: '[hidden, 16 bytes]'"
        in compared(rendered(), rendered(PLACES["data of a Secret"](SECRET))).diff
    )


@pytest.mark.parametrize(
    "plain",
    [
        pod({"env": [{"name": "LOG_LEVEL", "value": "debug"}]}),
        pod({"env": [{"name": "TOKEN_FILE", "value": "/var/run/token"}]}),
        pod({"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}),
        pod({"args": ["--secret-name=here", "--enable-secrets-cache"]}),
        made("Thing", spec={"secretName": "here", "automountServiceAccountToken": True}),
        made("ClusterRole", rules=[{"resources": ["secrets"], "verbs": ["get"]}]),
        made(
            "CustomResourceDefinition",
            spec={"password": {"description": "password: what it is", "type": "string"}},
        ),
    ],
)
def test_what_is_no_secret_stays(plain: Object) -> None:
    assert hide(plain, plain) == (plain, plain)


def test_an_entry_put_between_makes_no_other_one_changed() -> None:
    variables = [{"name": "A_TOKEN", "value": "a"}, {"name": "B_TOKEN", "value": "bb"}]
    between = [variables[0], {"name": "NEW", "value": "x"}, variables[1]]
    diff = compared(rendered(pod({"env": variables})), rendered(pod({"env": between}))).diff
    assert "changed]" not in diff


# What Applications deliver

CHART = {
    "kind": "chart",
    "repository": "https://charts.example.org/x",
    "chart": "thing",
    "namespace": "things",
    "values": {},
    "settings": {"helm": {"releaseName": "thing"}},
}


def outputs(*clusters: str, version: str = "1.0.0", **content: Any) -> dict[str, Any]:
    """Outputs of a stack with the add-on `thing` on `clusters`; `content` lies over CHART."""
    return {
        "applications": [
            {
                "application": f"thing-{name}",
                "cluster": name,
                "addon": "thing",
                "version": version,
                "namespace": "things",
                "ring": "stable",
                "values": "d1",
                "removing": False,
            }
            for name in clusters
        ],
        "values": {"d1": json.dumps(CHART | content)},
    }


def change(cluster: str, kind: ChangeKind = ChangeKind.VERSION, effect: Effect | None = None) -> Change:
    fields = {"application": f"thing-{cluster}", "cluster": cluster, "addon": "thing"}
    return Change.model_validate({**fields, "change": kind, "from": None, "to": None, "effect": effect})


def shown(
    base: Mapping[str, Any], head: Mapping[str, Any], *clusters: str, reach: Reach | None = None
) -> tuple[Manifest, ...]:
    changes = [change(name) for name in clusters]
    return manifests(base, head, changes, reach=reach or Reach(), say=lambda line: None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "file:///etc"},
        {"repository": "https://user:word@charts.example.org"},
        {"repository": "--post-renderer=x"},
        {"chart": "../../etc"},
        {"chart": "-x"},
        {"namespace": "--debug"},
        {"settings": {"helm": {"releaseName": "-x"}}},
        {"kind": "exec"},
        {"kind": "kustomize", "path": "../up"},
        {"kind": "directory", "path": "a/../../b", "version": "a" * 40},
    ],
)
def test_words_for_a_command_have_their_form(wrong: dict[str, Any]) -> None:
    version = wrong.pop("version", "1.0.0")
    said = outputs("a", version=version, **wrong)
    with pytest.raises(Unrendered):
        delivered(said["applications"][0], said["values"])


def test_a_version_that_is_a_flag_is_refused() -> None:
    said = outputs("a", version="--repo=x")
    with pytest.raises(Unrendered, match="version '--repo=x'"):
        delivered(said["applications"][0], said["values"])


def test_what_cannot_be_reached_is_said_once_for_all_clusters() -> None:
    (found,) = shown(outputs("a", "b"), outputs("a", "b", version="1.1.0"), "a", "b")
    assert found.clusters == ("a", "b")
    assert (found.from_, found.to, found.diff, found.objects) == ("1.0.0", "1.1.0", "", ())
    assert found.why_not is not None
    assert "thing 1.0.0 is not at hand" in found.why_not


def test_a_revision_that_does_not_say_is_no_error() -> None:
    base = outputs("a")
    del base["values"]
    (found,) = shown(base, outputs("a", version="1.1.0"), "a")
    assert found.why_not is not None
    assert "does not export" in found.why_not


def test_what_stays_on_the_cluster_is_no_difference() -> None:
    base, head = outputs("a"), outputs()
    for effect in (Effect.KEPT, Effect.ORPHANED):
        changes = [change("a", ChangeKind.REMOVED, effect)]
        assert manifests(base, head, changes, reach=Reach(), say=print) == ()
    assert shown(base, outputs("a"), "a") == ()


def test_mirrors_of_stacks_are_taken_off_and_the_one_at_hand_is_put_before() -> None:
    said = outputs("a", repository="https://mirror.acme.dev/charts.example.org/x")
    source = delivered(said["applications"][0], said["values"]).source
    behind = ("https://mirror.acme.dev/",)
    assert Reach().address(source) is None
    assert Reach(behind=behind, network=True).address(source) == "https://charts.example.org/x"
    there = Reach(behind=behind, mirror="http://127.0.0.1:80")
    assert there.address(source) == "http://127.0.0.1:80/charts.example.org/x"
    assert there.is_plain


# Folders in Git


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("mirror")
    return folder, git.write_platform(folder)


def test_a_folder_of_manifests_is_compared_between_commits(folders: tuple[Path, list[str]]) -> None:
    folder, commits = folders
    content = {"kind": "directory", "repository": f"https://{git.PLATFORM}", "path": "addons/baseline"}
    base, head = (outputs("a", version=commit, **content) for commit in commits[1:])
    (found,) = shown(base, head, "a", reach=Reach(folder=folder))
    assert found.why_not is None
    assert "ResourceQuota baseline: changed, +1 -1 lines" in found.objects
    assert "-    pods: '20'\n+    pods: '40'" in found.diff
    (missing,) = shown(base, outputs("a", version="a" * 40, **content), "a", reach=Reach(folder=folder))
    assert missing.why_not is not None
    assert "git archive" in missing.why_not


def test_a_kustomization_gets_what_the_application_says() -> None:
    said = {"images": [{"name": "nginx", "newTag": "1"}], "commonLabels": {"a": "b"}}
    given = {
        "namePrefix": "x-",
        "commonLabels": {"c": "d"},
        "images": ["nginx=mirror.example.org:5000/nginx:1.27.0", "busybox@sha256:ab", "a.io:1/b"],
    }
    assert edited(said, given) == {
        "namePrefix": "x-",
        "commonLabels": {"a": "b", "c": "d"},
        "images": [
            {"name": "nginx", "newName": "mirror.example.org:5000/nginx", "newTag": "1.27.0"},
            {"name": "busybox", "digest": "sha256:ab"},
            {"name": "a.io:1/b"},
        ],
    }
    with pytest.raises(Unrendered, match="forceCommonLabels"):
        edited({}, {"forceCommonLabels": True})


# The real programs and charts


@pytest.fixture(scope="module")
def reach(tmp_path_factory: pytest.TempPathFactory) -> Reach:
    tools = ensure("delivery", print)
    folder = local_mirror(tmp_path_factory.mktemp("mirror"))
    return Reach(helm=tools / "helm", kustomize=tools / "kustomize", folder=folder)


@pytest.mark.sandbox
def test_an_official_chart_from_one_version_to_the_next(reach: Reach) -> None:
    content = {"repository": "https://charts.external-secrets.io", "chart": "external-secrets"}
    base, head = (outputs("a", "b", version=version, **content) for version in ("0.20.3", "1.3.1"))
    (found,) = shown(base, head, "a", "b", reach=reach)
    assert found.why_not is None
    assert found.clusters == ("a", "b")
    assert any(line.startswith("Deployment things/thing-external-secrets: changed") for line in found.objects)
    crds = [line for line in found.objects if line.startswith("CustomResourceDefinition ")]
    assert any(
        line.startswith("CustomResourceDefinition externalsecrets.") and "changed, +" in line for line in crds
    )
    assert "external-secrets:v0.20.3" in found.diff
    assert "external-secrets:v1.3.1" in found.diff
    assert "more lines" in found.diff
    assert len(found.diff) < 350_000


@pytest.mark.sandbox
def test_clusters_are_grouped_by_what_becomes_different_on_them(reach: Reach) -> None:
    """A chart of a registry behind a mirror. One cluster gets new values too: a difference of its own. Another one has
    values of its own in both: it renders differently, and the same becomes different."""
    content: Object = {"repository": "oci://mirror.acme.dev/quay.io/jetstack/charts", "chart": "cert-manager"}
    content["settings"] = {"helm": {"releaseName": "cert-manager", "skipCrds": True}}
    sides = []
    for version in ("v1.19.1", "v1.20.2"):
        side = outputs("a", "b", "c", version=version, **content)
        side["values"]["d2"] = json.dumps(CHART | content | {"values": {"replicaCount": 3}})
        side["applications"][2]["values"] = "d2"
        sides.append(side)
    sides[1]["applications"][1]["values"] = "d2"
    behind = Reach(helm=reach.helm, folder=reach.folder, behind=("https://mirror.acme.dev",))
    found = shown(sides[0], sides[1], "a", "b", "c", reach=behind)
    assert [one.clusters for one in found] == [("a", "c"), ("b",)]
    assert all(one.why_not is None for one in found)
    assert "CustomResourceDefinition" not in "".join(found[0].objects)
    assert "-  replicas: 1\n+  replicas: 3" in found[1].diff
    assert "replicas: 3" not in found[0].diff


@pytest.mark.sandbox
def test_a_chart_that_refuses_its_values_says_so(reach: Reach) -> None:
    content = {"repository": "https://kubernetes-sigs.github.io/external-dns", "chart": "external-dns"}
    base, head = (outputs("a", version=version, **content) for version in ("1.18.0", "1.22.0"))
    (found,) = shown(base, head, "a", reach=reach)
    assert found.why_not is not None
    assert "missing property 'policy'" in found.why_not


@pytest.mark.sandbox
def test_a_kustomize_folder_is_built_with_what_the_application_says(reach: Reach) -> None:
    commit = _platform_commit(reach)
    content = {"kind": "kustomize", "repository": f"https://{git.PLATFORM}", "path": "addons/baseline"}
    base = outputs("a", version=commit, **content)
    head = outputs("a", version=commit, **content, values={"namePrefix": "x-"})
    (found,) = shown(base, head, "a", reach=reach)
    assert found.why_not is None
    assert "PriorityClass x-fleet-batch: added" in found.objects


def _platform_commit(reach: Reach) -> str:
    assert reach.folder is not None
    command = ["git", "rev-parse", "main"]
    return subprocess.run(
        command, cwd=reach.folder / git.PLATFORM, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.sandbox
def test_a_chart_that_makes_keys_is_rendered_twice(reach: Reach, tmp_path: Path) -> None:
    template = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: made\ndata:\n"
        "  key: {{ randAlphaNum 20 | b64enc }}\n  fixed: {{ b64enc .Chart.Version }}\n"
    )
    folder = tmp_path / "charts.example.org" / "x"
    folder.mkdir(parents=True)
    for version in ("1.0.0", "1.1.0"):
        meta = f"apiVersion: v2\nname: thing\nversion: {version}\n".encode()
        chart = Chart({"Chart.yaml": meta, "templates/secret.yaml": template.encode()})
        (folder / chart.file_name).write_bytes(chart.archive())
    there = Reach(helm=reach.helm, folder=tmp_path)
    (found,) = shown(outputs("a"), outputs("a", version="1.1.0"), "a", reach=there)
    assert found.objects == ("Secret made: changed, +1 -1 lines",)
    assert "-  fixed: '[hidden, 5 bytes]'\n+  fixed: '[hidden, 5 bytes, changed]'" in found.diff
    assert "-  key" not in found.diff
