"""What the model predicts is what Argo CD's real ApplicationSet controller stamps, over random fleets.

Each example is two fleets: the second one is an edit of the first and is brought there in place, in the order of the
program. After both the Applications on the API server have to be the predicted ones, whole; and one that is
in both fleets has to have lived through every step in between.

What this does not prove: that anything is rendered, synced or reached. The addresses of clusters are the ones that
follow from the files; an address that Google gives later is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, note, settings

from model.catalogue import Addon, Form
from model.stamping import StampedApplication, stamp
from tests.argocd.controller import Brought, Controller, Object, Wanted, running
from tests.model.random_fleets import EMPTY, Configuration, changes, removing

pytestmark = pytest.mark.sandbox

EXAMPLES = 95
FLEETS = 100
"""How many different fleets a run has to have stamped at least."""


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with running(tmp_path_factory.mktemp("truth")) as made:
        yield made


def test_the_real_controller_stamps_what_is_predicted(controller: Controller) -> None:
    fleets: dict[str, int] = {}
    held: set[str] = set()
    lived = 0

    names = Names()

    def brought(configuration: Configuration) -> Brought:
        wanted = Wanted.of(configuration.fleet, configuration.catalogue)
        expected = predicted(configuration)
        found = controller.bring(wanted, lambda them: told(them) == expected)
        actual = told(found.after)
        note(f"{configuration}\n{difference(expected, actual)}")
        assert actual == expected
        fleets[json.dumps([wanted.sets, wanted.secrets], sort_keys=True)] = len(found.after)
        return found

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
    )
    @given(changes())
    def holds(change: tuple[Configuration, Configuration]) -> None:
        nonlocal lived
        # Of what is drawn a good part was drawn before; it costs nothing to leave that out.
        if repr(change) in held:
            return
        named = [names.given(configuration) for configuration in change]
        before, after = (brought(configuration) for configuration in named)
        both = before.after.keys() & after.after.keys()
        gone = {name for name in both if _uid(before.after[name]) != _uid(after.after[name])}
        assert not gone, "deleted and made again on the way"
        emptied = {name for name, one in after.between.items() if _is_emptied(one)}
        assert emptied <= removing(named[0]) | removing(named[1]), "pruned on the way"
        lived += len(both - gone)
        held.add(repr(change))

    holds()
    print(f"{len(fleets)} fleets with {sum(fleets.values())} Applications stamped, {lived} changed in place")
    assert len(fleets) >= FLEETS


class Names:
    """Names for add-ons that are never given twice: one that comes back after it was gone has another name.

    The garbage collector deletes what an ApplicationSet had, some time after it, and the controller may have made an
    Application of it once more meanwhile. A new set of the same name would adopt that one and lose it again.
    """

    def __init__(self) -> None:
        self._there: set[str] = set()
        self._generation: dict[str, int] = {}

    def given(self, configuration: Configuration) -> Configuration:
        """The same configuration, with such names. To be called in the order in which they are brought there."""
        for name in configuration.catalogue.addons.keys() - self._there:
            self._generation[name] = self._generation.get(name, 0) + 1
        self._there = set(configuration.catalogue.addons)
        new = {name: f"{name}-{self._generation[name]}" for name in self._there}

        def renamed(entries: Mapping[str, Any]) -> dict[str, Any]:
            return {new[name]: entry for name, entry in entries.items() if name in new}

        addons = {
            new[name]: addon.model_copy(
                update={"after": tuple(new.get(other, other) for other in addon.after)}
            )
            for name, addon in configuration.catalogue.addons.items()
        }
        clusters = tuple(
            one.model_copy(update={"addons": renamed(one.addons), "exclude": renamed(one.exclude)})
            for one in configuration.fleet.clusters
        )
        fleet = replace(configuration.fleet, clusters=clusters, addons=renamed(configuration.fleet.addons))
        return replace(configuration, fleet=fleet, catalogue=replace(configuration.catalogue, addons=addons))


def predicted(configuration: Configuration) -> dict[str, Object]:
    """The Applications by name, each as `told` says it, from the model's list and the catalogue's entries."""
    addons = configuration.catalogue.addons
    return {
        one.application: _expected(configuration, one, addons[one.addon])
        for one in stamp(configuration.fleet, configuration.catalogue)
    }


def _expected(configuration: Configuration, one: StampedApplication, addon: Addon) -> Object:
    automated: Object = {"prune": True, "selfHeal": True}
    if one.removing:
        automated["allowEmpty"] = True
    if addon.roll_out is not None:
        # The controller syncs by itself then, ring by ring.
        automated["enabled"] = False
    options = ["CreateNamespace=true", "ServerSideApply=true"]
    options += ["SkipDryRunOnMissingResource=true"] if addon.after else []
    spec: Object = {
        "project": "addons",
        "destination": {"server": one.server, "namespace": one.namespace},
        "source": _source(configuration, one, addon),
        "syncPolicy": {
            "automated": automated,
            "syncOptions": [*options, *addon.sync_options],
            "retry": {"limit": 10, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
        },
    }
    if addon.ignore_differences:
        spec["ignoreDifferences"] = list(addon.ignore_differences)
    return {
        "labels": {"fleet_addon": one.addon, "fleet_cluster": one.cluster, "fleet_ring": one.ring},
        "annotations": {},
        "finalizers": [],
        "owner": one.addon,
        "spec": spec,
    }


def _source(configuration: Configuration, one: StampedApplication, addon: Addon) -> Object:
    if one.removing:
        empty = configuration.catalogue.empty_source
        return {"repoURL": empty.repository, "path": empty.path, "targetRevision": one.version}
    source: Object = {"repoURL": addon.repository, "targetRevision": one.version}
    if addon.form is Form.CHART:
        helm: Object = {"releaseName": one.addon}
        if one.values:
            helm["valuesObject"] = dict(one.values)
        if addon.crds is not None and addon.crds.skip:
            helm["skipCrds"] = True
        # Argo CD knows a chart in an OCI registry by an address without a scheme.
        source |= {"repoURL": addon.repository.removeprefix("oci://"), "chart": addon.chart, "helm": helm}
    elif addon.form is Form.KUSTOMIZE:
        source["path"] = addon.kustomize
        if one.values:
            source["kustomize"] = dict(one.values)
    else:
        source |= {"path": addon.directory, "directory": {"recurse": True}}
    return source


def told(applications: Mapping[str, Object]) -> dict[str, Object]:
    """Applications as the API server has them, without what it adds itself."""
    return {name: _told(one) for name, one in applications.items()}


def _told(application: Object) -> Object:
    metadata = application["metadata"]
    return {
        "labels": metadata.get("labels", {}),
        "annotations": metadata.get("annotations", {}),
        "finalizers": metadata.get("finalizers", []),
        "owner": ", ".join(owner["name"] for owner in metadata.get("ownerReferences", [])),
        "spec": application["spec"],
    }


def difference(expected: Any, actual: Any, path: str = "") -> str:
    """Where two documents differ, a line each; empty where they do not."""
    if expected == actual:
        return ""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        keys = sorted({*expected, *actual})
        found = (difference(expected.get(key), actual.get(key), f"{path}/{key}") for key in keys)
        return "\n".join(line for line in found if line)
    return f"{path}: predicted {json.dumps(expected)}, stamped {json.dumps(actual)}"


def _is_emptied(application: Object) -> bool:
    return bool(application["spec"]["source"].get("path") == EMPTY.path)


def _uid(application: Object) -> str:
    return str(application["metadata"]["uid"])
