"""Random fleets with their catalogues, for properties that hold for all of them.

Owns strategies, and what a change may do on its way. What is drawn is what the files may say after their
checks: every cluster has the labels and annotations that values read, nothing is overridden where it is left
out, and one form of source stays the form of an add-on. How versions of rings relate is not kept: stamping
does not ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from model.argocd_settings import ArgocdSettings
from model.catalogue import (
    Addon,
    AddonCrds,
    AddonKinds,
    ArgocdChart,
    Catalogue,
    EmptySource,
    Except,
    Form,
    RingEntry,
    RollOut,
    Selection,
)
from model.cluster import Cluster, Exclusion, MembershipName, Override
from model.fleet import AddonSettings, Fleet
from model.stamping import stamp
from model.vocabulary import Endpoint, Entry, Join, Lifecycle, Role, Workloads

RINGS = ("dev", "canary", "stable")
ADDONS = ("secrets", "policies", "baseline")
MEMBERS = tuple(f"member-{index}" for index in range(5))
REASON = "a good reason"

EMPTY = EmptySource(repository="https://git.example.org/x.git", revision="e" * 40, path="empty")
ARGOCD = ArgocdChart.model_validate(
    {
        "chart": "argo-cd",
        "repository": "https://charts.example.org",
        "version": "10.3.3",
        "appVersion": "v3.5.1",
    }
)

Source = tuple[Form, bool]
"""What an add-on is made from, and whether it lies in an OCI registry."""

sources: st.SearchStrategy[Source] = st.tuples(st.sampled_from(list(Form)), st.booleans())


@dataclass(frozen=True)
class Configuration:
    """A fleet and a catalogue; shown as the files would say them."""

    fleet: Fleet
    catalogue: Catalogue

    def __repr__(self) -> str:
        fleet = {
            "addons": _shown(self.fleet.addons),
            "clusters": [_shown(cluster) for cluster in self.fleet.clusters],
        }
        document = {"catalogue": {"addons": _shown(self.catalogue.addons)}, "fleet": fleet}
        return "\n" + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _shown(value: Any) -> Any:
    if isinstance(value, Entry):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {name: _shown(one) for name, one in value.items()}


texts = st.sampled_from(
    [
        "plain",
        "",
        "1.20",
        'a "quoted" \\ word: {x}',
        "two\nlines\n",
        "{{ .metadata.labels.team }}",
        "x-{{ .metadata.labels.fleet_ring }}-y",
        "{{- .metadata.annotations.domain -}}",
        "{{ .metadata.labels.fleet_cluster }}.{{ .metadata.annotations.domain }}",
    ]
)
_keys = st.sampled_from(["a", "b", "c.d/e", "on-{{ .metadata.labels.team }}"])
_scalars = texts | st.booleans() | st.integers(-3, 2**31) | st.sampled_from([0.5, 1e-7, 3.0])
chart_values: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    _keys,
    st.recursive(
        _scalars,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_keys, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)
_words = texts.filter(bool)
kustomize_values: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "namePrefix": _words,
        "commonLabels": st.dictionaries(st.sampled_from(["app", "team"]), texts, min_size=1),
        "commonAnnotations": st.dictionaries(_keys, texts, min_size=1),
        "nameSuffix": _words,
        "images": st.lists(
            st.sampled_from(["nginx=mirror.example.org/nginx:1.27.0", "busybox:1.36.1"]),
            min_size=1,
            max_size=2,
        ),
    },
)


def values_of(source: Source) -> st.SearchStrategy[dict[str, Any]]:
    """What an add-on of that kind takes as values."""
    form, _ = source
    return {
        Form.CHART: chart_values,
        Form.KUSTOMIZE: kustomize_values,
        Form.DIRECTORY: st.just({}),
    }[form]


def versions_of(source: Source) -> st.SearchStrategy[str]:
    """Versions, commits or digests, as the source has them."""
    form, oci = source
    if form is Form.CHART:
        return st.sampled_from(["1.0.0", "1.0.1", "v1.1.0", "1.1.0-rc.1"])
    digits = 64 if oci else 40
    return st.sampled_from("abc").map(lambda digit: ("sha256:" if oci else "") + digit * digits)


cluster_labels = st.fixed_dictionaries(
    {"team": st.sampled_from(["shop", "data", "1-10"])}, optional={"zone": st.sampled_from(["a", "b"])}
)
cluster_annotations = st.fixed_dictionaries(
    {"domain": st.sampled_from(["shop.example.org", "a, b & c: <d> 'e' #f %s", "データ"])}
)


def _subset(of: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), unique=True, max_size=2).map(tuple)


_selected: Mapping[str, st.SearchStrategy[Any]] = {
    "rings": _subset(RINGS),
    "labels": st.dictionaries(
        st.sampled_from(["team", "zone"]), st.sampled_from([("shop",), ("data", "1-10"), ("a",)]), max_size=1
    ),
    "clusters": _subset(("hub", *MEMBERS)),
}
workloads = st.sampled_from(list(Workloads))

NOISE = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
_SOURCE_KEYS = {
    Form.CHART: ("chart", None),
    Form.KUSTOMIZE: ("kustomize", "overlays/all"),
    Form.DIRECTORY: ("directory", "manifests"),
}
"""How the catalogue says what the source is: the key, and its value where that is not the add-on's name."""
_ROLL_OUTS = [None, None, *(RollOut.model_validate({"atOnce": share}) for share in ("25%", 2))]


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    """Half the time every cluster."""
    if draw(st.booleans()):
        return Selection()
    key = draw(st.sampled_from(sorted(_selected)))
    return Selection(**{key: draw(_selected[key]), **draw(st.fixed_dictionaries({}, optional={**_selected}))})


@st.composite
def exceptions(draw: st.DrawFn) -> Except:
    """One that leaves out something."""
    given = draw(st.fixed_dictionaries({}, optional={**_selected}).filter(lambda one: any(one.values())))
    return Except(reason=REASON, workloads=draw(workloads), **given)


@st.composite
def addons(draw: st.DrawFn, name: str, source: Source, earlier: tuple[str, ...]) -> Addon:
    form, oci = source
    version, values = versions_of(source), values_of(source)
    scheme = "oci://registry.example.org/" if oci else "https://git.example.org/"
    chart = form is Form.CHART
    leaving = draw(st.sampled_from([False, False, False, True]))
    entry = {
        "repository": scheme + ("charts" if chart else name),
        _SOURCE_KEYS[form][0]: _SOURCE_KEYS[form][1] or name,
        "version": draw(version),
        "rings": draw(
            st.dictionaries(
                st.sampled_from(RINGS),
                st.builds(RingEntry, version=version | st.none(), values=values),
                max_size=2,
            )
        ),
        "namespace": name,
        "values": draw(values),
        "kinds": AddonKinds(namespaced=("Secret",)),
        "crds": AddonCrds(groups=(f"{name}.example.org",), skip=draw(st.booleans())) if chart else None,
        "after": draw(_subset(earlier)) if earlier else (),
        "syncOptions": draw(st.sampled_from([(), ("RespectIgnoreDifferences=true",)])),
        "ignoreDifferences": draw(st.sampled_from([(), (NOISE,)])),
        "kubernetes": ("1.36",),
        "select": draw(selections()),
        "except": tuple(draw(st.lists(exceptions(), max_size=2))),
        "rollOut": draw(st.sampled_from(_ROLL_OUTS)),
        "lifecycle": Lifecycle.LEAVING if leaving else Lifecycle.ACTIVE,
        "workloads": draw(workloads) if leaving else None,
    }
    return Addon.model_validate(entry)


@st.composite
def clusters(draw: st.DrawFn, name: str, role: Role, known: Mapping[str, Source]) -> Cluster:
    leaving = role is Role.MEMBER and draw(st.sampled_from([False, False, True]))
    touched = draw(st.dictionaries(st.sampled_from(sorted(known)), st.booleans(), max_size=2))
    location = "asia-northeast1"
    ways: list[dict[str, Any]] = [{}]
    if role is Role.MEMBER:
        ways += [
            {"membership": MembershipName(id=f"{name}-there", location="global"), "join": Join.REGISTERED},
            {"membership": MembershipName(id=name, location=location, agent=True), "join": Join.REGISTERED},
            {"endpoint": Endpoint.DNS, "dnsHost": f"gke-{name}.{location}.gke.goog"},
        ]
    entry = {
        "name": name,
        "role": role,
        "project": f"acme-{name}-project",
        "location": location,
        "kubernetes": "1.36",
        "ring": draw(st.sampled_from(RINGS)),
        "labels": draw(cluster_labels),
        "annotations": draw(cluster_annotations),
        "addons": {
            addon: Override(
                reason=REASON,
                until="2999-12-31",
                version=draw(versions_of(known[addon]) | st.none()),
                values=draw(values_of(known[addon])),
            )
            for addon, overridden in touched.items()
            if overridden
        },
        "exclude": {
            addon: Exclusion(reason=REASON, workloads=draw(workloads))
            for addon, overridden in touched.items()
            if not overridden
        },
        "lifecycle": Lifecycle.LEAVING if leaving else Lifecycle.ACTIVE,
        "workloads": draw(workloads) if leaving else None,
        **draw(st.sampled_from(ways)),
    }
    return Cluster.model_validate(entry)


@st.composite
def _drawn(draw: st.DrawFn, known: Mapping[str, Source], before: Configuration | None) -> Configuration:
    """A configuration of these add-ons; where there is one `before`, about half of it stays as it is."""

    def kept(entries: Mapping[str, Any], name: str) -> Any:
        return entries[name] if name in entries and draw(st.booleans()) else None

    old_addons = before.catalogue.addons if before else {}
    old_clusters = {cluster.name: cluster for cluster in before.fleet.clusters} if before else {}
    old_settings = before.fleet.addons if before else {}
    names = [name for name in known if draw(st.sampled_from([True, True, True, False]))] or list(known)[:1]
    catalogue = Catalogue(
        rings=RINGS,
        argocd=ARGOCD,
        addons={
            name: kept(old_addons, name) or draw(addons(name, known[name], tuple(names[:index])))
            for index, name in enumerate(names)
        },
        empty_source=EMPTY,
    )
    members = draw(st.lists(st.sampled_from(MEMBERS), unique=True, min_size=2))
    made = [kept(old_clusters, "hub") or draw(clusters("hub", Role.HUB, known))]
    made += [kept(old_clusters, name) or draw(clusters(name, Role.MEMBER, known)) for name in sorted(members)]
    fleet = Fleet(
        name="acme",
        host_project="acme-hub-project",
        projects={
            f"acme-{name}-project": str(100000 + index) for index, name in enumerate(("hub", *MEMBERS))
        },
        protect=True,
        argocd=ArgocdSettings(),
        clusters=tuple(made),
        addons={
            name: kept(old_settings, name) or AddonSettings(values=draw(values_of(known[name])))
            for name in draw(_subset(tuple(names)))
        },
    )
    return Configuration(fleet, catalogue)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """A fleet and its catalogue."""
    return draw(_drawn(draw(st.fixed_dictionaries(dict.fromkeys(ADDONS, sources))), None))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Configuration, Configuration]:
    """A fleet and its catalogue, before and after somebody edited the files."""
    known = draw(st.fixed_dictionaries(dict.fromkeys(ADDONS, sources)))
    before = draw(_drawn(known, None))
    return before, draw(_drawn(known, before))


def removing(configuration: Configuration) -> set[str]:
    """Applications that stand on the empty folder."""
    return {one.application for one in stamp(configuration.fleet, configuration.catalogue) if one.removing}
