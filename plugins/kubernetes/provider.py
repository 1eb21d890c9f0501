"""The kubernetes provider: what the official one decides on this side of the API server.

Owns the provider's configuration, inputs (names, namespaces), update against replace, what an unreachable
cluster means, and what a preview knows. Does not own the connection (the ground's). Modelled on the
documented behaviour of pulumi-kubernetes 4
(https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/).
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc

from plugins.codec import (
    REDACTED,
    UNKNOWN,
    Secret,
    changed_paths,
    has_unknown,
    marked_like,
    observed,
    plain,
    public,
    without_indexes,
)
from plugins.ground import Access, Cluster, Ground, GroundError, Patience, Unready
from plugins.kubernetes import kinds
from plugins.kubernetes.naming import AUTONAMED, generated, identity, parsed
from plugins.provider import Difference, Engine, NotReady, Provider, ProviderError, Values

RELEASE = "kubernetes:helm.sh/v3:Release"
_MANAGER = "__fieldManager"
_INITIAL = "__initialApiVersion"
_SERVER_METADATA = ("creationTimestamp", "generation", "resourceVersion", "uid")
_SWITCHES = (
    "deleteUnreachable",
    "enablePatchForce",
    "enableServerSideApply",
    "skipUpdateUnreachable",
    "upsertExistingObjects",
)
_CODES = {
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    422: grpc.StatusCode.INVALID_ARGUMENT,
}


class KubernetesProvider(Provider):
    """One instance: one cluster."""

    def __init__(self, engine: Engine, version: str, ground: Ground) -> None:
        super().__init__(engine, version)
        self._ground = ground
        self._cluster: Cluster | None = None
        self._switches: dict[str, bool] = {}
        self._namespace = "default"
        self._being_replaced: set[tuple[str, str]] = set()

    @property
    def package(self) -> str:
        """Name of the package."""
        return "kubernetes"

    # Configuration

    def check_config(self, urn: str, olds: Values, news: Values) -> tuple[Values, list[tuple[str, str]]]:
        """Refuse a kubeconfig that is none, before anything depends on it."""
        failures = []
        if news.get("renderYamlToDirectory") is not None:
            failures.append(
                (
                    "renderYamlToDirectory",
                    "the stand-in writes no YAML. Remedy: leave renderYamlToDirectory out",
                )
            )
        given = news.get("kubeconfig")
        if given is not None and not has_unknown(given):
            try:
                _document(plain(given))
            except (OSError, ValueError) as error:
                failures.append(("kubeconfig", f"kubeconfig cannot be read: {error}"))
        return news, failures

    def diff_config(self, olds: Values, news: Values) -> Difference:
        """Only another cluster replaces a provider, and with it everything behind it.

        `clusterIdentifier` says which cluster it is. Without one, the server of the kubeconfig does.
        """
        before, after = plain(public(olds)), plain(public(news))
        paths = changed_paths(before, after)
        replaces: frozenset[str] = frozenset()
        if before.get("clusterIdentifier") or after.get("clusterIdentifier"):
            replaces = frozenset(path for path in paths if path == "clusterIdentifier")
        elif "kubeconfig" in paths:
            same = not has_unknown(after["kubeconfig"]) and _server(before) == _server(after)
            replaces = frozenset() if same else frozenset({"kubeconfig"})
        return Difference(paths, replaces)

    def configure(self, config: Values, variables: Mapping[str, str]) -> None:
        """Connect. Whether the cluster can be reached is decided here, once."""
        given = plain(config)
        for name in _SWITCHES:
            self._switches[name] = _switch(given.get(name), default=name == "enableServerSideApply")
        if not self._switches["enableServerSideApply"]:
            raise ProviderError(
                "the stand-in applies on the server's side only. Remedy: leave enableServerSideApply on"
            )
        self._namespace = given.get("namespace") or "default"
        try:
            # On paper an export's kubeconfig may have been a secret; nothing behind it is asked there.
            is_known = given.get("kubeconfig") not in (None, "", REDACTED)
            document = _document(given["kubeconfig"]) if is_known else None
        except (OSError, ValueError) as error:
            raise ProviderError(f"kubeconfig cannot be read: {error}") from None
        access = Access(
            kubeconfig=document,
            context=given.get("context"),
            cluster=given.get("cluster"),
            namespace=self._namespace,
        )
        self._cluster = self._ground.cluster(access)
        if self._cluster.unreachable:
            self.engine.log(
                "warning", f"configured Kubernetes cluster is unreachable: {self._cluster.unreachable}"
            )

    @property
    def cluster(self) -> Cluster:
        """The connection. Raises ProviderError before Configure."""
        if self._cluster is None:
            raise ProviderError("the provider is not configured")
        return self._cluster

    def _require_reachable(self) -> None:
        if self.cluster.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.cluster.unreachable}")

    # Inputs

    def check(
        self, urn: str, type_: str, olds: Values, news: Values, seed: bytes
    ) -> tuple[Values, list[tuple[str, str]]]:
        """Fill name and namespace."""
        _supported(type_)
        inputs = copy.deepcopy(news)
        base = urn.rpartition("::")[2].lower()
        if type_ == RELEASE:
            return self._check_release(base, olds, inputs, seed)
        failures = [(name, f"{name} is required") for name in ("apiVersion", "kind") if not inputs.get(name)]
        if failures:
            return inputs, failures
        metadata = inputs.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            return inputs, []
        if metadata.get("name") is None and metadata.get("generateName") is None:
            before = _metadata(olds)
            named = before.get("name") if (before.get("annotations") or {}).get(AUTONAMED) == "true" else None
            metadata["name"] = named or generated(base, seed)
            annotations = metadata.get("annotations")
            if annotations is None or isinstance(annotations, dict):
                metadata["annotations"] = {**(annotations or {}), AUTONAMED: "true"}
        scope = self._scope(inputs)
        if metadata.get("namespace") is None and (scope is not False):
            metadata["namespace"] = self._namespace
        elif scope is False and metadata.get("namespace") is not None:
            failures.append(
                ("metadata.namespace", f"{inputs['kind']} is cluster-wide and takes no namespace")
            )
        if _is_secret(inputs):
            for name in ("data", "stringData"):
                if inputs.get(name) is not None and not isinstance(inputs[name], Secret):
                    inputs[name] = Secret(plain(inputs[name]))
        return inputs, failures

    def _scope(self, inputs: Values) -> bool | None:
        if self._cluster is None:
            return kinds.is_namespaced(inputs["apiVersion"], inputs["kind"])
        return self._cluster.namespaced(inputs["apiVersion"], inputs["kind"])

    def _check_release(
        self, base: str, olds: Values, inputs: Values, seed: bytes
    ) -> tuple[Values, list[tuple[str, str]]]:
        if inputs.get("name") is None:
            inputs["name"] = plain(olds.get("name")) or generated(base, seed)
        if inputs.get("namespace") is None:
            inputs["namespace"] = self._namespace
        failures = [("chart", "chart is required")] if not inputs.get("chart") else []
        return inputs, failures

    def diff(
        self,
        urn: str,
        type_: str,
        id_: str,
        old_inputs: Values,
        old_outputs: Values,
        news: Values,
        ignored: list[str],
    ) -> Difference:
        """What changed, and what of it the server would refuse to change in place."""
        before, after = public(old_inputs), public(news)
        paths = changed_paths(before, after)
        if type_ == RELEASE:
            return Difference(paths, frozenset(path for path in paths if path in ("name", "namespace")))
        old, new = plain(before), plain(after)
        replaces = frozenset(path for path in paths if kinds.replaces(old, new, without_indexes(path)))
        was, is_ = _metadata(old), _metadata(new)
        keeps_name = (
            is_.get("name") is not None
            and (is_.get("annotations") or {}).get(AUTONAMED) != "true"
            and (was.get("name"), was.get("namespace")) == (is_.get("name"), is_.get("namespace"))
        )
        if replaces and keeps_name:
            self._being_replaced.add((type_, id_))
        return Difference(paths, replaces, delete_first=bool(replaces) and keeps_name)

    # Operations

    def create(
        self, urn: str, type_: str, inputs: Values, timeout: float, preview: bool
    ) -> tuple[str, Values]:
        """Make it and wait until it is ready, or say what is known before."""
        _supported(type_)
        if preview and (self.cluster.unreachable or has_unknown(inputs) or type_ == RELEASE):
            return "", _foreseen(type_, inputs)
        self._require_reachable()
        if type_ == RELEASE:
            return self._install(urn, inputs, timeout)
        manifest = plain(public(inputs))
        if preview and (type_, identity(manifest)) in self._being_replaced:
            # Its predecessor is still there in a preview, and will not be when this is made.
            return "", _foreseen(type_, inputs)
        manager = _manager(urn, manifest)
        force = self._forces(manifest)
        with _wording():
            try:
                live = self.cluster.create(
                    manifest,
                    manager=manager,
                    force=force,
                    adopt=force or self._switches["upsertExistingObjects"],
                    preview=preview,
                    patience=self._patience(urn, manifest, timeout),
                )
            except Unready as error:
                outputs = _outputs(inputs, error.live, manager)
                raise NotReady(identity(error.live), outputs, error.reasons, inputs) from None
        if preview:
            return "", _unknown_server(_outputs(inputs, live, manager), ("status", *_SERVER_METADATA))
        return identity(live), _outputs(inputs, live, manager)

    def read(
        self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float
    ) -> tuple[str, Values, Values] | None:
        """What is there.

        Inputs keep to the paths that they had, so that an untouched object shows no drift.
        """
        _supported(type_)
        if self.cluster.unreachable:
            return self._read_unreachable(urn, id_, inputs, outputs)
        namespace, name = parsed(id_)
        if type_ == RELEASE:
            return self._read_release(id_, namespace or "default", name, inputs, outputs)
        known = plain(public(outputs))
        api_version = known.get("apiVersion") or plain(inputs.get("apiVersion")) or _api_version(type_)
        kind = known.get("kind") or plain(inputs.get("kind")) or type_.rpartition(":")[2]
        with _wording():
            live = self.cluster.read(api_version, kind, namespace, name, known)
        if live is None:
            return None
        manager = plain(outputs.get(_MANAGER)) or _manager(urn, live)
        seen = _observed_inputs(inputs, live) if inputs else _imported(live)
        return id_, seen, _outputs(seen, live, manager)

    def _read_unreachable(
        self, urn: str, id_: str, inputs: Values, outputs: Values
    ) -> tuple[str, Values, Values] | None:
        if self._switches["deleteUnreachable"]:
            self._say_dropped(id_, urn)
            return None
        if self._switches["skipUpdateUnreachable"]:
            self.engine.log(
                "warning", f"kept {id_} as it was: its cluster is unreachable (skipUpdateUnreachable)", urn
            )
            return id_, inputs, outputs
        raise ProviderError(
            f"failed to read resource state due to unreachable cluster: {self.cluster.unreachable}. If the cluster was "
            "deleted, set deleteUnreachable on its Provider to remove its resources from the state"
        )

    def update(
        self,
        urn: str,
        type_: str,
        id_: str,
        old_inputs: Values,
        old_outputs: Values,
        news: Values,
        timeout: float,
        preview: bool,
    ) -> Values:
        """Change it and wait until it is ready, or say what is known before."""
        _supported(type_)
        if self.cluster.unreachable and self._switches["skipUpdateUnreachable"]:
            self.engine.log(
                "warning", f"did not update {id_}: its cluster is unreachable (skipUpdateUnreachable)", urn
            )
            return old_outputs
        if preview and (self.cluster.unreachable or has_unknown(news) or type_ == RELEASE):
            return _foreseen_update(type_, old_inputs, old_outputs, news)
        self._require_reachable()
        if type_ == RELEASE:
            return self._upgrade(urn, id_, news, timeout)
        manifest = plain(public(news))
        manager = plain(old_outputs.get(_MANAGER)) or _manager(urn, manifest)
        with _wording():
            try:
                live = self.cluster.update(
                    manifest,
                    manager=manager,
                    force=self._forces(manifest),
                    preview=preview,
                    patience=self._patience(urn, manifest, timeout),
                )
            except Unready as error:
                raise NotReady(id_, _outputs(news, error.live, manager), error.reasons, news) from None
        if preview and live is manifest:
            return _foreseen_update(type_, old_inputs, old_outputs, news)
        outputs = _outputs(news, live, manager)
        return _unknown_server(outputs, ("generation", "resourceVersion")) if preview else outputs

    def delete(self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float) -> None:
        """Delete it, in the foreground unless its annotation says otherwise, and wait until it is gone."""
        if self.cluster.unreachable:
            if self._switches["deleteUnreachable"]:
                self._say_dropped(id_, urn)
                return
            raise ProviderError(
                f"configured Kubernetes cluster is unreachable: {self.cluster.unreachable}. If the cluster was "
                "deleted, you can remove this resource from the state: set deleteUnreachable on its Provider, then run "
                "the operation again"
            )
        namespace, name = parsed(id_)
        if type_ == RELEASE:
            with _wording():
                self.cluster.uninstall(
                    namespace or "default", name, patience=self._patience(urn, {}, timeout)
                )
            return
        live = plain(public(outputs))
        live.setdefault("metadata", {}).setdefault("name", name)
        # The annotation is read where the last update put it.
        annotations = {
            **(_metadata(live).get("annotations") or {}),
            **(_metadata(plain(inputs)).get("annotations") or {}),
        }
        with _wording():
            try:
                self.cluster.delete(
                    live,
                    propagation=_propagation(annotations.get("pulumi.com/deletionPropagationPolicy")),
                    patience=self._patience(urn, {"metadata": {"annotations": annotations}}, timeout),
                )
            except Unready as error:
                raise ProviderError(f"{id_}: {error}", grpc.StatusCode.DEADLINE_EXCEEDED) from None

    def _say_dropped(self, id_: str, urn: str) -> None:
        reason = "its cluster is unreachable (deleteUnreachable)"
        self.engine.log("warning", f"dropped {id_} from the state: {reason}", urn)

    # Releases

    def _install(self, urn: str, inputs: Values, timeout: float) -> tuple[str, Values]:
        release = plain(public(inputs))
        id_ = f"{release['namespace']}/{release['name']}"
        return id_, self._helm(urn, id_, inputs, timeout, self.cluster.install)

    def _upgrade(self, urn: str, id_: str, news: Values, timeout: float) -> Values:
        return self._helm(urn, id_, news, timeout, self.cluster.upgrade)

    def _helm(self, urn: str, id_: str, inputs: Values, timeout: float, call: Any) -> Values:
        release = plain(public(inputs))
        with _wording():
            try:
                return {**public(inputs), **call(release, patience=self._patience(urn, {}, timeout))}
            except Unready as error:
                reason = (
                    f'Helm release "{id_}" was created but has a failed status. Use the `helm` command to '
                    "investigate the "
                    f"error, correct it, then retry. Reason: {error}"
                )
                raise NotReady(id_, {**public(inputs), **error.live}, [reason], inputs) from None

    def _read_release(
        self, id_: str, namespace: str, name: str, inputs: Values, outputs: Values
    ) -> tuple[str, Values, Values] | None:
        known: Values = {key: plain(outputs[key]) for key in ("status", "resourceNames") if key in outputs}
        with _wording():
            found = self.cluster.release(namespace, name, known)
        if found is None:
            return None
        if not inputs:
            status = found["status"]
            inputs = {
                "name": name,
                "namespace": namespace,
                "chart": status["chart"],
                "version": status["version"],
            }
        return id_, inputs, {**public(outputs), **inputs, **found}

    # Details

    def _forces(self, manifest: Values) -> bool:
        annotations = _metadata(manifest).get("annotations") or {}
        return self._switches["enablePatchForce"] or annotations.get("pulumi.com/patchForce") == "true"

    def _patience(self, urn: str, manifest: Values, timeout: float) -> Patience:
        annotations = _metadata(manifest).get("annotations") or {}
        seconds = timeout or float(annotations.get("pulumi.com/timeoutSeconds") or 0)
        return Patience(
            seconds=seconds,
            cancelled=self.cancelled.is_set,
            say=lambda message: self.engine.log("info", message, urn, passing=True),
        )


# Configuration


def _switch(value: Any, *, default: bool) -> bool:
    # The SDK sends what is no string as JSON text.
    return default if value in (None, "") else value is True or str(value).lower() == "true"


def _document(given: str) -> dict[str, Any]:
    """A kubeconfig given as JSON, YAML or the path of a file. Raises OSError or ValueError."""
    text = given
    if "\n" not in given and not given.lstrip().startswith("{"):
        text = Path(given).expanduser().read_text()
    try:
        found = json.loads(text)
    except ValueError:
        import yaml

        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"it is neither JSON nor YAML ({error})") from None
    if not isinstance(found, dict) or not found.get("clusters"):
        raise ValueError("it is no kubeconfig: it has no clusters")
    return found


def _server(config: Values) -> Any:
    try:
        document = _document(str(config.get("kubeconfig") or ""))
    except (OSError, ValueError):
        return None
    current = config.get("context") or document.get("current-context")
    contexts = {each.get("name"): each.get("context") or {} for each in document.get("contexts") or []}
    cluster = (contexts.get(current) or {}).get("cluster")
    named = (each.get("cluster") for each in document["clusters"] if each.get("name") == cluster)
    return next(named, document["clusters"])


# Inputs


def _supported(type_: str) -> None:
    name = type_.rpartition(":")[2]
    if name.endswith("Patch"):
        raise ProviderError(
            f"{type_}: the kubernetes stand-in has no Patch resources. Remedy: own the whole object, or preview with "
            "the "
            "official plugin",
            grpc.StatusCode.UNIMPLEMENTED,
        )
    if name.endswith("List"):
        raise ProviderError(
            f"{type_}: the kubernetes stand-in has no lists. Remedy: make each object a resource of its own",
            grpc.StatusCode.UNIMPLEMENTED,
        )


def _metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    found = plain(values.get("metadata"))
    return found if isinstance(found, dict) else {}


def _is_secret(values: Mapping[str, Any]) -> bool:
    return values.get("apiVersion") == "v1" and values.get("kind") == "Secret"


def _api_version(type_: str) -> str:
    """`kubernetes:core/v1:Secret` -> `v1`, `kubernetes:apps/v1:Deployment` -> `apps/v1`."""
    return type_.split(":")[1].removeprefix("core/")


def _manager(urn: str, manifest: Mapping[str, Any]) -> str:
    annotations = _metadata(manifest).get("annotations") or {}
    own = annotations.get("pulumi.com/patchFieldManager")
    return str(own) if own else f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def _propagation(given: Any) -> str:
    return {"background": "Background", "orphan": "Orphan"}.get(str(given).lower(), "Foreground")


# Outputs


def _outputs(inputs: Values, live: Mapping[str, Any], manager: str) -> Values:
    outputs: Values = dict(marked_like(copy.deepcopy(dict(live)), public(inputs)))
    metadata = outputs.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    if _is_secret(outputs):
        for name in ("data", "stringData"):
            if outputs.get(name) is not None:
                outputs[name] = Secret(plain(outputs[name]))
    outputs[_MANAGER] = manager
    outputs[_INITIAL] = outputs.get("apiVersion")
    return outputs


def _unknown_server(outputs: Values, names: tuple[str, ...]) -> Values:
    metadata = outputs.get("metadata")
    if isinstance(metadata, dict):
        metadata.update({name: UNKNOWN for name in names if name != "status"})
    if "status" in names:
        outputs["status"] = UNKNOWN
    return outputs


def _foreseen(type_: str, inputs: Values) -> Values:
    outputs: Values = public(copy.deepcopy(inputs))
    if type_ == RELEASE:
        return outputs | {"status": UNKNOWN, "resourceNames": UNKNOWN}
    return _unknown_server(outputs, ("status", *_SERVER_METADATA))


def _foreseen_update(type_: str, old_inputs: Values, old_outputs: Values, news: Values) -> Values:
    if type_ == RELEASE:
        return {**public(copy.deepcopy(news)), "status": UNKNOWN, "resourceNames": UNKNOWN}
    outputs: Values = _merged(old_outputs, public(old_inputs), public(news))
    return _unknown_server(outputs, ("generation", "resourceVersion"))


def _merged(live: Any, old: Any, new: Any) -> Any:
    """`live` with the change from `old` to `new` applied."""
    if isinstance(live, Mapping) and isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        kept = {name: value for name, value in live.items() if name in new or name not in before}
        return {
            **kept,
            **{name: _merged(live.get(name), before.get(name), value) for name, value in new.items()},
        }
    return copy.deepcopy(new)


def _observed_inputs(inputs: Values, live: Mapping[str, Any]) -> Values:
    seen: Values = dict(observed(inputs, live))
    given = plain(inputs.get("stringData"))
    if _is_secret(inputs) and isinstance(given, dict):
        # The server keeps stringData as data, in base64.
        data = live.get("data") or {}
        found = {}
        for name in given:
            if name in data:
                found[name] = base64.b64decode(data[name]).decode(errors="replace")
        seen["stringData"] = Secret(found) if data or not given else inputs["stringData"]
        if not live.get("data") and live.get("stringData"):
            seen["stringData"] = Secret(plain(live["stringData"]))
    return seen


def _imported(live: Mapping[str, Any]) -> Values:
    inputs = {name: value for name, value in copy.deepcopy(dict(live)).items() if name != "status"}
    metadata = inputs.get("metadata") or {}
    for name in (*_SERVER_METADATA, "managedFields", "selfLink", "deletionTimestamp"):
        metadata.pop(name, None)
    return inputs


@contextlib.contextmanager
def _wording() -> Iterator[None]:
    """The server's errors as the engine shall show them."""
    try:
        yield
    except GroundError as error:
        raise ProviderError(str(error), _CODES.get(error.code, grpc.StatusCode.FAILED_PRECONDITION)) from None
