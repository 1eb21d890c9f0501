"""The gcp provider: checks, diffs and previews by the table of types, and leaves the rest to the ground.

Owns what the official provider does on this side of Google: defaults, generated names, the rules for names,
what replaces. Does not own resources. It knows exactly the types of plugins/gcp/types/ and says so for
any other.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import grpc

from plugins.codec import (
    UNKNOWN,
    Secret,
    changed_paths,
    has_unknown,
    marked_like,
    observed,
    plain,
    public,
)
from plugins.gcp.types import TYPES, GcpType
from plugins.ground import Gcp, GroundError
from plugins.provider import Difference, Engine, Provider, ProviderError, Values

_DEFAULTS = "__defaults"
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class GcpProvider(Provider):
    """One instance of the provider."""

    def __init__(self, engine: Engine, version: str, ground: Gcp) -> None:
        super().__init__(engine, version)
        self._ground = ground
        self._project: str | None = None
        self._places: dict[str, str | None] = {}

    @property
    def package(self) -> str:
        """Name of the package."""
        return "gcp"

    def diff_config(self, olds: Values, news: Values) -> Difference:
        """Another project means other resources; nothing else does."""
        paths = changed_paths(public(olds), public(news))
        return Difference(paths, frozenset(path for path in paths if path == "project"))

    def configure(self, config: Values, variables: Mapping[str, str]) -> None:
        """Take defaults from the provider's configuration."""
        given = plain(config)
        self._project = given.get("project") or variables.get("gcp:config:project")
        self._places = {
            "location": given.get("zone") or given.get("region"),
            "region": given.get("region"),
        }

    # Inputs

    def check(
        self, urn: str, type_: str, olds: Values, news: Values, seed: bytes
    ) -> tuple[Values, list[tuple[str, str]]]:
        """Fill defaults and names, and hold values against the rules."""
        kind = _known(type_)
        inputs = _carried(olds, news)
        defaulted = list(inputs.pop(_DEFAULTS, []))
        if not olds or _DEFAULTS in olds:
            for name, value in kind.defaults.items():
                if inputs.get(name) is None:
                    inputs[name] = value
                    defaulted.append(name)
            if kind.autoname and inputs.get(kind.autoname) is None:
                suffix = hashlib.sha256(seed or urn.encode()).hexdigest()[:7]
                inputs[kind.autoname] = kind.generated_name(urn.rpartition("::")[2], suffix)
                defaulted.append(kind.autoname)
            if kind.plain_name and inputs.get(kind.plain_name) is None:
                inputs[kind.plain_name] = urn.rpartition("::")[2]
                defaulted.append(kind.plain_name)
            inputs[_DEFAULTS] = sorted(set(defaulted))
        failures = kind.problems(plain(inputs))
        if kind.takes_project and not inputs.get("project") and not self._project:
            failures.append(("project", "is required: set it on the resource, or gcp:project for the stack"))
        return inputs, [(name, f"{name} {reason}") for name, reason in failures]

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
        """What changed, and what of it needs a new resource."""
        kind = _known(type_)
        meant = kind.changes(plain(old_inputs), plain(news), plain(old_outputs))
        changed = changed_paths(public(old_inputs), public(news))
        paths = {path: change for path, change in changed.items() if path in meant}
        replaces = frozenset(path for path in paths if meant[path] == "replaces")
        for path in paths:
            if meant[path] == "not known":
                self.engine.log(
                    "warning",
                    f"{path}: the table of {type_} does not say whether this changes in place; it may replace",
                    urn,
                )
        name = kind.autoname
        keeps_name = (
            name is not None
            and name not in plain(news.get(_DEFAULTS) or [])
            and plain(old_inputs.get(name)) == plain(news.get(name))
        )
        return Difference(paths, replaces, delete_first=bool(replaces) and keeps_name)

    # Operations

    def create(
        self, urn: str, type_: str, inputs: Values, timeout: float, preview: bool
    ) -> tuple[str, Values]:
        """Make it, or say what is known before."""
        kind = _known(type_)
        if preview:
            return "", self._foreseen(kind, inputs)
        full = self._full(kind, inputs)
        with _wording(kind):
            id_, outputs = self._ground.create(type_, kind.identify(full), full)
        return id_, _outputs(kind, inputs, outputs)

    def read(
        self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float
    ) -> tuple[str, Values, Values] | None:
        """What is there.

        Inputs keep to the paths that they had, so that an untouched resource shows no drift. An import has
        none: it brings everything but what the provider keeps to itself.
        """
        kind = _known(type_)
        if not inputs:
            try:
                id_ = kind.imported_id(id_)
            except ValueError as error:
                raise ProviderError(str(error), grpc.StatusCode.INVALID_ARGUMENT) from None
        with _wording(kind):
            found = self._ground.read(type_, id_, public(plain(inputs)), plain(outputs))
        if found is None:
            return None
        live_inputs, live_outputs = found
        if not inputs:
            live_inputs = kind.imported(live_inputs)
        # What was never an input (the provider's own defaults) is left out, or it would show as drift.
        return (
            id_,
            observed(inputs, live_inputs) if inputs else live_inputs,
            _outputs(kind, inputs, live_outputs),
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
        """Change it, or say what is known before."""
        kind = _known(type_)
        if preview:
            kept = {name: old_outputs[name] for name in old_outputs if name not in old_inputs}
            return kept | self._foreseen_update(kind, news, old_outputs)
        full = self._full(kind, news)
        with _wording(kind):
            outputs = self._ground.update(type_, id_, full)
        return _outputs(kind, news, outputs)

    def delete(self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float) -> None:
        """Delete it, unless one of Google's own protections is on."""
        kind = _known(type_)
        refused = kind.refuses_delete(plain(outputs))
        if refused:
            raise ProviderError(refused)
        with _wording(kind):
            self._ground.delete(type_, id_)

    # Values

    def _full(self, kind: GcpType, inputs: Values) -> dict[str, Any]:
        full = public(plain(inputs))
        if kind.takes_project and not full.get("project"):
            full["project"] = self._project
        full = kind.completed(full)
        if kind.place and not full.get(kind.place):
            own = self._places.get(kind.place)
            if own is None:
                raise ProviderError(
                    f"Cannot determine {kind.place}: set {kind.place} in this resource, or set provider-level zone"
                )
            full[kind.place] = own
        return {name: value for name, value in full.items() if value is not None}

    def _foreseen(self, kind: GcpType, inputs: Values) -> Values:
        """Outputs as a preview knows them: the inputs, and unknown where only Google knows."""
        outputs: Values = public(copy.deepcopy(inputs))
        for path in kind.computed:
            _mark_unknown(outputs, path.split("."))
        if kind.takes_project and not outputs.get("project"):
            outputs["project"] = self._project
        return outputs

    def _foreseen_update(self, kind: GcpType, news: Values, old_outputs: Values) -> Values:
        """The same for a change: what Google computed stays, for nothing that stays an update changes it."""
        outputs: Values = public(copy.deepcopy(news))
        for path in kind.computed:
            _take_over(outputs, old_outputs, path.split("."))
        for name in kind.secret_outputs:
            if has_unknown(news) or _labels_changed(news, old_outputs):
                outputs[name] = Secret(UNKNOWN)
        return outputs


def _labels_changed(news: Values, old_outputs: Values) -> bool:
    return any(
        plain(news.get(name) or {}) != plain(old_outputs.get(name) or {})
        for name in ("labels", "resourceLabels")
    )


def _known(type_: str) -> GcpType:
    try:
        return TYPES[type_]
    except KeyError:
        raise ProviderError(
            f"{type_}: the gcp stand-in does not know this type. It knows {', '.join(sorted(TYPES))}. Remedy: "
            "describe the "
            "type in plugins/gcp/types/ (id, outputs, what replaces it), or preview with the official plugins and a "
            "read-only identity",
            grpc.StatusCode.UNIMPLEMENTED,
        ) from None


def _carried(old: Values, new: Values) -> Values:
    """`new` with what the provider had filled in before.

    Real states name it in `__defaults`, at every depth.
    """
    merged: Values = {name: _carried_value(old.get(name), value) for name, value in new.items()}
    filled = plain(old.get(_DEFAULTS))
    if isinstance(filled, list):
        kept = [name for name in filled if merged.get(name) is None and old.get(name) is not None]
        merged.update({name: old[name] for name in kept})
        merged[_DEFAULTS] = kept
    return merged


def _carried_value(old: Any, new: Any) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _carried(dict(old), dict(new))
    if isinstance(old, list) and isinstance(new, list):
        return [_carried_value(old[at] if at < len(old) else None, value) for at, value in enumerate(new)]
    return new


def _mark_unknown(outputs: Values, path: list[str]) -> None:
    name = path[0]
    if len(path) == 1:
        if outputs.get(name) is None:
            outputs[name] = UNKNOWN
    elif isinstance(outputs.get(name), dict):
        _mark_unknown(outputs[name], path[1:])
    elif outputs.get(name) is None:
        outputs[name] = UNKNOWN


def _take_over(outputs: Values, old: Any, path: list[str]) -> None:
    name = path[0]
    before = plain(old).get(name) if isinstance(plain(old), dict) else None
    if before is None:
        return
    if outputs.get(name) is None:
        outputs[name] = old[name]
    elif len(path) > 1 and isinstance(outputs[name], dict):
        _take_over(outputs[name], before, path[1:])


def _outputs(kind: GcpType, inputs: Values, outputs: Mapping[str, Any]) -> Values:
    marked = marked_like(dict(outputs), public(inputs))
    return {
        name: Secret(plain(value)) if name in kind.secret_outputs else value for name, value in marked.items()
    }


@contextlib.contextmanager
def _wording(kind: GcpType) -> Iterator[None]:
    """Google's errors as the engine shall show them."""
    try:
        yield
    except GroundError as error:
        code = _CODES.get(error.code, grpc.StatusCode.FAILED_PRECONDITION)
        raise ProviderError(f"googleapi: Error {error.code}: {error}", code) from None
    except KeyError as error:
        raise ProviderError(
            f"{kind.token}: {error.args[0]} is required", grpc.StatusCode.INVALID_ARGUMENT
        ) from None
