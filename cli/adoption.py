"""Import files for what exists already and no stack knows: clusters, memberships, accounts, an Argo CD of its own.

Owns two files that `pulumi import` takes: what the program wants to make, as the CLI itself lists it
(`pulumi preview --import-file`, on paper), with the ids filled in that these things have. Does not own the choice of
what exists and may be taken over: a person makes it, since a cluster that happens to have the name may be somebody
else's.

Two files and two runs, because CLI 3.259.0 makes the Providers of an import file before the components in it. A
Provider whose parent is such a component leaves a state behind that the CLI refuses from then on ("refers to missing
parent").
"""

import fnmatch
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.wanted import wanted_states
from plugins.gcp.types import TYPES
from plugins.ground import pending_id

Document = dict[str, Any]

_RELEASE = "kubernetes:helm.sh/v3:Release"
_PROVIDER = "pulumi:providers:"
_LIVE = frozenset({"chart", "checksum", "resourceNames", "valueYamlFiles", "values", "version"})
"""Inputs of a Release that are read from the one that runs; the others it does not remember."""


def adopt(
    engine: Engine, stack: str, only: Sequence[str], folder: Path, say: Callable[[str], None]
) -> tuple[Path, Path]:
    """Write the two import files of `stack` into `folder` and say what to do with them.

    `only`: patterns of KIND/NAME as in Cluster/tokyo-shop or Membership/*, empty for all. Raises Failure.
    """
    held = _held(engine, stack)
    with tempfile.TemporaryDirectory(prefix="gke-fleet-adopt-") as scratch:
        listing = Path(scratch) / "import.json"
        states = wanted_states(engine, stack, import_file=listing)
        wanted = [state for state in states if state["urn"] not in held]
        listed = json.loads(listing.read_text())
    components, resources = import_files(listed, wanted, only, held)
    chosen = names(resources["resources"])
    if not chosen:
        every = names(import_files(listed, wanted, (), held)[1]["resources"])
        raise Failure(
            ExitCode.CONFIGURATION,
            f"stack {stack} would make nothing that is named {' or '.join(only) or 'at all'}",
            f"name some of: {', '.join(every)}" if every else "nothing is left to take over",
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / "1-components.json", folder / "2-resources.json")
    for path, document in zip(paths, (components, resources), strict=True):
        path.write_text(json.dumps(document, indent=2) + "\n")
    say(
        f"{len(chosen)} to take over: {', '.join(chosen)}\n"
        f"Take out of {paths[1]} what does not exist, then:\n"
        f"  pulumi import --stack {stack} --file {paths[0]} --generate-code=false --protect=false --yes\n"
        f"  pulumi import --stack {stack} --file {paths[1]} --generate-code=false\n"
        f"  pulumi preview --stack {stack} --diff     no replace, no delete; docs/adoption.md says what to expect"
    )
    return paths


def _held(engine: Engine, stack: str) -> set[str]:
    """URNs of what a stack holds already."""
    done = engine.ask(["stack", "export", "--non-interactive", "--stack", stack])
    if done.returncode != 0:
        raise Failure(ExitCode.REFUSED, f"the state of stack {stack} cannot be read:\n{done.stderr}")
    return {state["urn"] for state in json.loads(done.stdout)["deployment"].get("resources") or []}


def import_files(
    listed: Document, wanted: Iterable[Mapping[str, Any]], only: Sequence[str], held: Collection[str] = ()
) -> tuple[Document, Document]:
    """(file of components, file of Providers and resources) for `pulumi import`.

    `listed` is the file that `pulumi preview --import-file` wrote, `wanted` are the states of what the same preview
    would make, `only` as in `adopt`, `held` the URNs of what the stack holds: others may refer to it. Left out is what
    can be made twice (enabled APIs, service identities, grants: making it again changes nothing) and what has an id
    that only Google knows.
    """
    entries = {str(entry["name"]): dict(entry) for entry in listed["resources"]}
    table = {str(name): str(urn) for name, urn in (listed.get("nameTable") or {}).items()}
    stack, project = _place(wanted := list(wanted))
    urns = table | {name: _urn(entry, entries, table, stack, project) for name, entry in entries.items()}
    table |= {name: urns[name] for name in entries if urns[name] in held}
    entries = {name: entry for name, entry in entries.items() if urns[name] not in held}
    states = {str(state["urn"]): state for state in wanted}
    keep: set[str] = set()
    for name, entry in entries.items():
        state = states.get(urns[name])
        if state is None or entry.get("component") or _is_provider(entry):
            continue
        inputs = state.get("inputs") or {}
        identity = pending_id(str(entry["type"]), inputs) if _is_exclusive(str(entry["type"])) else None
        if identity is None or not _is_named(entry, only):
            continue
        entry["id"] = identity
        if entry["type"] == _RELEASE:
            entry["inputs"] = {
                key: value for key, value in inputs.items() if key not in _LIVE and not key.startswith("__")
            }
        keep |= _with_all_above(name, entries)
    chosen = [entry for name, entry in entries.items() if name in keep]
    components = [entry for entry in chosen if entry.get("component")]
    above = {str(entry["name"]): urns[str(entry["name"])] for entry in components}
    first: Document = {"nameTable": table, "resources": components}
    second: Document = {
        "nameTable": table | above,
        "resources": [entry for entry in chosen if not entry.get("component")],
    }
    return first, second


def names(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """KIND/NAME of each resource of an import file, Providers left out."""
    return [_name(entry) for entry in entries if not _is_provider(entry)]


def _name(entry: Mapping[str, Any]) -> str:
    return f"{str(entry['type']).rpartition(':')[2]}/{entry.get('logicalName') or entry['name']}"


def _is_named(entry: Mapping[str, Any], only: Sequence[str]) -> bool:
    return not only or any(fnmatch.fnmatchcase(_name(entry), pattern) for pattern in only)


def _is_provider(entry: Mapping[str, Any]) -> bool:
    return str(entry["type"]).startswith(_PROVIDER)


def _is_exclusive(token: str) -> bool:
    return TYPES[token].exclusive if token in TYPES else token.startswith("kubernetes:")


def _place(states: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    parts = str(states[0]["urn"]).split("::") if states else ["urn:pulumi:none", "none"]
    return parts[0].removeprefix("urn:pulumi:"), parts[1]


def _urn(
    entry: Mapping[str, Any],
    entries: Mapping[str, Document],
    table: Mapping[str, str],
    stack: str,
    project: str,
) -> str:
    types, above = [str(entry["type"])], entry.get("parent")
    while above:
        if above in table:
            types.insert(0, table[above].split("::")[2])
            break
        types.insert(0, str(entries[above]["type"]))
        above = entries[above].get("parent")
    return f"urn:pulumi:{stack}::{project}::{'$'.join(types)}::{entry.get('logicalName') or entry['name']}"


def _with_all_above(name: str, entries: Mapping[str, Document]) -> set[str]:
    """`name`, its parents, its Provider and that one's parents."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in entries and current not in found:
            found.add(current)
            waiting += [
                str(entries[current][key]) for key in ("parent", "provider") if entries[current].get(key)
            ]
    return found
