"""Answers to report on: one of a dozen clusters with something of everything, an empty one, and one of a large fleet;
and a strategy for answers that a fork's program would make."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from whatif.answer import (
    Answer,
    Application,
    Change,
    ChangeKind,
    Difference,
    Effect,
    Limit,
    Manifest,
    Policy,
    Radius,
    Side,
    Step,
)

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
"""For `hostile`. What fails is shown as it was found: making an answer smaller takes minutes."""

FINGERPRINT = "0f3a9c52d1e07b44"
SECRET_SET = "urn:pulumi:prod::gke-fleet::kubernetes:core/v1:Secret::cluster-{}"


def change(
    addon: str, cluster: str, kind: ChangeKind, before: str | None, after: str | None, **more: Any
) -> Change:
    fields = {"application": f"{addon}-{cluster}", "cluster": cluster, "addon": addon, "change": kind}
    return Change.model_validate({**fields, "from": before, "to": after, **more})


def application(addon: str, cluster: str, ring: str, version: str, **more: Any) -> Application:
    return Application(
        application=f"{addon}-{cluster}",
        cluster=cluster,
        addon=addon,
        version=version,
        namespace=addon,
        ring=ring,
        **more,
    )


def side(label: str, applications: list[Application], clusters: list[str], **more: Any) -> Side:
    fields: dict[str, Any] = {
        "resources": len(clusters) * 4 + 20,
        "providers": {"gcp": 1, "kubernetes": len(clusters)},
        "gateway": 4.0 * len(clusters),
        "costs": 0,
    }
    return Side(label=label, applications=tuple(applications), clusters=tuple(clusters), **(fields | more))


def small() -> Answer:
    """Nothing differs."""
    clusters = ["hub", "tokyo-shop"]
    stamped = [application("external-secrets", each, "dev", "2.10.0") for each in clusters]
    urn = "urn:pulumi:prod::gke-fleet::pulumi:pulumi:Stack::gke-fleet-prod"
    return Answer(
        stack="prod",
        base=side("main", stamped, clusters),
        head=side("working tree", stamped, clusters),
        steps=(Step(op="same", urn=urn, type="pulumi:pulumi:Stack", name="gke-fleet-prod"),),
        changes=(),
        policies=(),
        new_policies=(),
        fixed_policies=(),
        radius=Radius(change="0" * 16, removed=0, clusters=0, rings={}, limits=()),
        summary={"same": 28},
    )


RINGS = {
    "dev": ["hub", "dev-tokyo"],
    "canary": ["tokyo-shop", "osaka-data", "berlin-web"],
    "stable": [
        "paris-shop", "oslo-ml", "zurich-pay", "sydney-web", "delhi-batch", "lima-web-with-a-long-name-of-its-own",
    ],
}  # fmt: skip
LEFT = "madrid-old"
NEW = "dev-tokyo"


def dozen() -> Answer:
    """Twelve clusters, and each kind of difference at least once."""
    before: list[Application] = []
    after: list[Application] = []
    changes: list[Change] = []
    for ring, clusters in RINGS.items():
        for cluster in clusters:
            version = "2.11.0" if ring == "canary" else "2.10.0"
            if cluster != NEW:
                before.append(application("external-secrets", cluster, ring, "2.10.0", values="a" * 16))
            after.append(application("external-secrets", cluster, ring, version, values="b" * 16))
            if cluster == NEW:
                changes.append(change("external-secrets", cluster, ChangeKind.ADDED, None, "2.10.0"))
            elif ring == "canary":
                also = (Difference.model_validate({"change": "values", "from": "a" * 16, "to": "b" * 16}),)
                changes.append(
                    change("external-secrets", cluster, ChangeKind.VERSION, "2.10.0", "2.11.0", also=also)
                )
            before.append(application("cert-manager", cluster, ring, "1.19.1", values="c" * 16))
            after.append(application("cert-manager", cluster, ring, "1.19.1", values="d" * 16))
            if ring == "stable":
                changes.append(
                    change(
                        "cert-manager", cluster, ChangeKind.VALUES, "c" * 16, "d" * 16,
                        details=("replicaCount: 1 -> 2", "webhook.timeoutSeconds: 10 -> 30"),
                    )
                )  # fmt: skip
    before.append(application("external-secrets", LEFT, "stable", "2.10.0"))
    changes.append(
        change("external-secrets", LEFT, ChangeKind.REMOVED, "2.10.0", None, effect=Effect.ORPHANED)
    )
    changes.append(change("reloader", "oslo-ml", ChangeKind.REMOVED, "1.4.0", None, effect=Effect.KEPT))
    before.append(application("kyverno", "paris-shop", "canary", "3.5.2"))
    after.append(application("kyverno", "paris-shop", "stable", "3.5.2"))
    changes.append(change("kyverno", "paris-shop", ChangeKind.RING, "canary", "stable"))
    heads = [cluster for clusters in RINGS.values() for cluster in clusters]
    bases = [each for each in heads if each != NEW] + [LEFT]
    pinned = tuple(
        Policy(
            rule="chart-pinned", level="mandatory", urn=SECRET_SET.format(each),
            message=f"cluster-{each} has a chart version that floats: 1.2. Write three parts.",
        )
        for each in heads[:4]
    )  # fmt: skip
    old = Policy(rule="labels", level="advisory", urn=SECRET_SET.format("hub"), message="no label owner")
    lines = ("  ~ metadata: {", '      ~ labels: {\n        ~ ring: "dev" => "canary"\n        }', "    }")
    steps = [
        Step(
            op="update", urn=SECRET_SET.format(each), type="kubernetes:core/v1:Secret", name=f"cluster-{each}",
            detailed_diff={"metadata.labels.ring": {"kind": "update", "inputDiff": True}},
            diff_reasons=("metadata",), lines=lines,
        )
        for each in heads
    ]  # fmt: skip
    steps.append(
        Step(
            op="replace", urn="urn:pulumi:prod::gke-fleet::gcp:container/cluster:Cluster::dev-tokyo",
            type="gcp:container/cluster:Cluster", name="dev-tokyo", replace_reasons=("location",),
            detailed_diff={"location": {"kind": "update-replace", "inputDiff": True}},
            lines=("+-gcp:container:Cluster: (replace)", '  ~ location: "asia-northeast1" => "asia-northeast2"'),
        )
    )  # fmt: skip
    steps.append(
        Step(op="same", urn="urn:pulumi:prod::gke-fleet::a:b:C::same-one", type="a:b:C", name="same-one")
    )
    image = "image: external-secrets:v2."
    diff = f"--- base\n+++ head\n@@ -1,2 +1,2 @@\n kind: Deployment\n-{image}10.0\n+{image}11.0\n"
    manifests = (
        Manifest.model_validate(
            {
                "addon": "external-secrets", "from": "2.10.0", "to": "2.11.0", "clusters": tuple(RINGS["canary"]),
                "objects": ("Deployment external-secrets/webhook: changed",), "diff": diff,
            }
        ),
        Manifest.model_validate(
            {
                "addon": "kyverno", "from": "3.5.2", "to": "3.5.3", "clusters": ("paris-shop",), "objects": (),
                "diff": "", "why_not": "https://charts.example.com does not answer",
            }
        ),
    )  # fmt: skip
    return Answer(
        stack="prod",
        base=side("main (1a2b3c4)", before, bases, notices=("old",)),
        head=side(
            "working tree", after, heads, costs=1, notices=("old", "madrid-old leaves: nobody looks after it")
        ),
        steps=tuple(steps),
        changes=tuple(changes),
        policies=(*pinned, old),
        new_policies=pinned,
        fixed_policies=(
            Policy(rule="image-digest", level="advisory", urn="", message="an image without digest"),
        ),
        radius=Radius(
            change=FINGERPRINT,
            removed=2,
            clusters=11,
            rings={"dev": 1, "canary": 3, "stable": 7},
            limits=(
                Limit(what="removed", found=2, allowed=5, names=()),
                Limit(what="clusters", found=11, allowed=10, names=(*heads, LEFT)),
                Limit(what="ring stable", found=7, allowed=3, names=tuple(RINGS["stable"])),
            ),
        ),
        summary={"update": len(heads), "replace": 1, "same": 21},
        diagnostics=("warning: the clusters cannot be reached",),
        manifests=manifests,
        exit_code=0,
        confined="no network, no credential",
    )


def large(clusters: int = 1_000, addons: int = 20, *, alike: bool = True) -> Answer:
    """`clusters` x `addons`: every Application gets another version; where not `alike`, each its own."""
    names = [f"cluster-{number:04}-of-a-region" for number in range(clusters)]
    rings = {name: ("dev", "canary", "stable", "last")[position % 4] for position, name in enumerate(names)}
    kinds = [f"add-on-{number:02}" for number in range(addons)]
    before = [
        application(addon, name, rings[name], "1.0.0", values="a" * 16) for name in names for addon in kinds
    ]
    after, changes = [], []
    for position, (name, addon) in enumerate((name, addon) for name in names for addon in kinds):
        version = "1.1.0" if alike else f"1.1.{position}"
        after.append(application(addon, name, rings[name], version, values="b" * 16))
        changes.append(change(addon, name, ChangeKind.VERSION, "1.0.0", version))
    steps = [
        Step(
            op="update", urn=SECRET_SET.format(name), type="kubernetes:core/v1:Secret", name=f"cluster-{name}",
            detailed_diff={"metadata.labels.ring": {"kind": "update", "inputDiff": True}},
            lines=("  ~ ring: one => two",) if alike else (f"  ~ ring: {name} => two" * 8,) * 10,
        )
        for name in names
    ]  # fmt: skip
    found = tuple(
        Policy(
            rule="chart-pinned", level="mandatory", urn=SECRET_SET.format(name),
            message=f"cluster-{name} is wrong" if alike else f"{position}: {'wrong ' * 40}",
        )
        for position, name in enumerate(names)
    )  # fmt: skip
    manifests = tuple(
        Manifest.model_validate(
            {
                "addon": addon, "from": "1.0.0", "to": "1.1.0", "clusters": tuple(names),
                "objects": tuple(f"Deployment {addon}/{number}: changed" for number in range(200)),
                "diff": "\n".join(f"+ line {number} of {addon}" for number in range(2_000)),
            }
        )
        for addon in kinds
    )  # fmt: skip
    limits = (Limit(what="clusters", found=clusters, allowed=10, names=tuple(names)),)
    return Answer(
        stack="prod",
        base=side("main", before, names),
        head=side("working tree", after, names),
        steps=tuple(steps),
        changes=tuple(changes),
        policies=found,
        new_policies=found,
        fixed_policies=(),
        radius=Radius(
            change=FINGERPRINT, removed=0, clusters=clusters, limits=limits,
            rings=dict.fromkeys(("dev", "canary", "stable", "last"), clusters // 4),
        ),
        summary={"update": clusters, "same": 100},
        diagnostics=tuple(f"warning: {number} {'is wrong ' * 100}" for number in range(500)),
        manifests=manifests,
    )  # fmt: skip


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</details></summary><h1>approved</h1>",
    "--> <b>bold</b> <!--",
    '" onload="alert(1)',
    "' autofocus onfocus='alert(1)",
    "```\n# approved\n```",
    "````mermaid",
    "`code` ``code``",
    "| cell | cell |\n|---|---|",
    "\\| \\\\| \\`",
    "[click](https://evil.example.com) ![pixel](https://evil.example.com/p.png)",
    "https://evil.example.com www.evil.example.com",
    "@octocat @org/team #12 GH-12 owner/repo#12 octocat@0123456789abcdef0123456789abcdef01234567",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.example.com\x07link\x1b]8;;\x07",
    "[bold red]markup[/] [link=https://evil.example.com]x[/link]",
    "a\u202egnp.exe\u202c b\u200bc\u2066d\u2069 \ufeff\u00ad\u2028x\u2029y",
    "\x00\x01\x7f\x85\x9b31m",
    'c0["x"]\nclick c0 "https://evil.example.com"\nend\nsubgraph x',
    "<{%fg 1%}>coloured<{%reset%}>",
    "&lt;b&gt; &#64;octocat &commat;octocat",
    "e" + "\u0301" * 50,
    "- [ ] task\n1. list\n> quote\n# heading",
    "$x$ $$\\href{https://evil.example.com}{x}$$",
    ":tada: \U0001f389" * 3,
)
"""What a name, a message or a line of a fork's program may be."""


def hostile() -> st.SearchStrategy[Answer]:
    """Answers in which every text may be anything, the `HOSTILE` ones above all."""
    letters = st.characters(codec="utf-8")
    texts = st.one_of(
        st.sampled_from(HOSTILE),
        st.text(letters, max_size=40),
        st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join),
        st.builds(lambda text, times: (text * times)[:1_900], st.sampled_from(HOSTILE), st.integers(1, 120)),
    )
    few = st.lists(texts, max_size=3).map(tuple)
    maybe = st.none() | texts
    counts = st.integers(0, 10**6)
    kinds = st.sampled_from(ChangeKind)
    differences = st.builds(
        lambda kind, before, after: Difference.model_validate({"change": kind, "from": before, "to": after}),
        kinds, maybe, maybe,
    )  # fmt: skip
    changes = st.builds(
        lambda **fields: Change.model_validate({"from": fields.pop("before"), **fields}),
        application=texts, cluster=texts, addon=texts, change=kinds, before=maybe, to=maybe,
        effect=st.none() | st.sampled_from(Effect), also=st.lists(differences, max_size=2).map(tuple), details=few,
    )  # fmt: skip
    steps = st.builds(
        Step, op=st.sampled_from(("create", "delete", "replace", "same")) | texts, urn=texts, type=texts, name=texts,
        detailed_diff=st.none() | st.dictionaries(texts, st.just({"kind": "update"}), max_size=2),
        diff_reasons=few, replace_reasons=few, lines=few,
    )  # fmt: skip
    policies = st.lists(st.builds(Policy, rule=texts, level=texts, urn=texts, message=texts), max_size=3).map(
        tuple
    )
    applications = st.builds(
        Application, application=texts, cluster=texts, addon=texts, version=texts, namespace=texts, ring=texts,
        values=maybe, removing=st.booleans(),
    )  # fmt: skip
    sides = st.builds(
        Side, label=texts, resources=counts, applications=st.lists(applications, max_size=3).map(tuple), clusters=few,
        providers=st.dictionaries(texts, counts, max_size=2), costs=counts, notices=few,
        gateway=st.none() | st.floats(0, 10**6),
    )  # fmt: skip
    radius = st.builds(
        Radius, change=texts, removed=counts, clusters=counts, rings=st.dictionaries(texts, counts, max_size=3),
        limits=st.lists(st.builds(Limit, what=texts, found=counts, allowed=counts, names=few), max_size=3).map(tuple),
        acknowledged=maybe,
    )  # fmt: skip
    manifests = st.builds(
        lambda **fields: Manifest.model_validate({"from": fields.pop("before"), **fields}),
        addon=texts, before=maybe, to=maybe, clusters=few, objects=few, diff=texts, why_not=maybe,
    )  # fmt: skip
    return st.builds(
        Answer, stack=texts, base=sides, head=sides, steps=st.lists(steps, max_size=3).map(tuple),
        changes=st.lists(changes, max_size=4).map(tuple), policies=policies, new_policies=policies,
        fixed_policies=policies, radius=radius, summary=st.dictionaries(texts, counts, max_size=3), diagnostics=few,
        manifests=st.none() | st.lists(manifests, max_size=2).map(tuple), exit_code=st.integers(0, 255),
        confined=maybe,
    )  # fmt: skip
