"""Moving resources of a fleet between the stacks that share it: each goes to the stack whose program wants it.

Owns the move: what is taken, how the states are written, and the proof that nothing would be made or taken away by
it. One command serves every direction (`all` into hub and members, back, from cell to cell), since each time one
stack's program has stopped wanting what another's has begun to want. Does not own which part a stack holds:
`gke-fleet:part` of its stack file says so.

`pulumi state move` of CLI 3.259.0 cannot do it: it writes a Provider before the component that is its parent, finds
its own result broken and stops, and with `--include-parents` it takes the root component and so the whole fleet along.
Hence the way through the exported states. They are held in memory only, with their secrets in clear, because two
stacks may encrypt with different keys; the CLI encrypts them again as it takes them in.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.wanted import wanted_states

State = dict[str, Any]

_PROVIDER = "pulumi:providers:"
_UNCHANGED = frozenset({"same", "read", "refresh"})


def move(engine: Engine, stacks: Sequence[str], say: Callable[[str], None]) -> dict[str, tuple[str, ...]]:
    """Move among `stacks` what one holds and another's program wants.

    Returns stack -> URNs of what came to it; Providers and components, of which each stack has its own, are not
    counted. All states are put back where a preview afterwards would make, replace or delete anything. Raises Failure.
    """
    before = {stack: _export(engine, stack) for stack in stacks}
    wanted = {}
    for stack in stacks:
        say(f"what stack {stack} wants: a preview of it on paper")
        held = {state["urn"] for state in before[stack]["deployment"].get("resources") or []}
        wanted[stack] = [state for state in wanted_states(engine, stack) if state["urn"] not in held]
    gained, after, came = distribute({stack: before[stack]["deployment"] for stack in stacks}, wanted)
    if not any(came.values()):
        raise Failure(
            ExitCode.REFUSED,
            f"none of the stacks {', '.join(stacks)} wants what another one of them holds",
            "see gke-fleet:part and gke-fleet:fleet in their stack files; docs/parts.md has the steps",
        )
    try:
        # First each gets what comes to it, then each gives away: whenever this ends, nothing is in no state at all.
        for stacks_after in (gained, after):
            for stack in stacks:
                _import(engine, stack, {**before[stack], "deployment": stacks_after[stack]})
        # A stack that was left with nothing goes; what its program would make again is no question any more.
        asked = [stack for stack in stacks if not is_empty(after[stack])]
        wrong = [line for stack in asked for line in _unsettled(stack, *_preview(engine, stack))]
    except BaseException:
        say("the move did not come to its end: putting all states back")
        _restore(engine, before)
        raise
    if wrong:
        _restore(engine, before)
        told = "".join(f"\n  {line}" for line in wrong)
        raise Failure(
            ExitCode.REFUSED,
            f"after the move the stacks would not be left alone:{told}\nAll states are as before",
            "bring the stacks to `pulumi preview --expect-no-changes` first, then set gke-fleet:part so that each "
            "resource is wanted by one of them, and name all of them here",
        )
    for stack in stacks:
        if came[stack]:
            say(f"{len(came[stack])} resources came to {stack}")
        if is_empty(after[stack]):
            say(f"{stack} holds nothing any more: `pulumi stack rm {stack}` and take its stack file out")
    say("the previews of what is left show nothing to make, replace or delete")
    return came


def distribute(
    held: Mapping[str, State], wanted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[dict[str, State], dict[str, State], dict[str, tuple[str, ...]]]:
    """By stack: the deployment with what comes to it, the one without what goes as well, and the URNs that came.

    `held` are deployments (as `pulumi stack export` has them). `wanted` are states of resources as a preview of the
    stack would make them, in its order: parents and Providers before their users. A resource is the same where its URN
    is, but for the stack's name; a Provider is where its type and name are, for it stays what it is wherever it hangs.
    Raises Failure for a state with pending operations.
    """
    if any(deployment.get("pending_operations") for deployment in held.values()):
        raise Failure(
            ExitCode.REFUSED,
            "a state has operations of which nobody knows how they ended",
            "run `pulumi refresh` on the stacks, then move",
        )
    gone: dict[str, set[str]] = {stack: set() for stack in held}
    came: dict[str, tuple[str, ...]] = {}
    gained: dict[str, State] = {}
    for stack, states in wanted.items():
        others = {
            _key(state): (other, state)
            for other, deployment in held.items()
            if other != stack
            for state in deployment.get("resources") or []
        }
        gained[stack], taken = _with(held[stack], states, {key: state for key, (_, state) in others.items()})
        came[stack] = tuple(new for new, _ in taken)
        for _, old in taken:
            gone[others[_key(old)][0]].add(old["urn"])
    return gained, {stack: _without(gained[stack], gone[stack]) for stack in held}, came


def _with(
    deployment: State, wanted: Sequence[Mapping[str, Any]], others: Mapping[str, State]
) -> tuple[State, list[tuple[str, State]]]:
    """`deployment` with all of `wanted` that is in `others`, and (URN, state before) of each but Providers and
    components."""
    there: list[State] = copy.deepcopy(deployment.get("resources") or [])
    ids = {resource["urn"]: resource.get("id") for resource in there}
    taken = []
    for new in wanted:
        old = others.get(_key(new))
        if old is None and new.get("custom"):
            continue
        for provider in _default_provider(new, ids, others):
            there.append(provider)
            ids[provider["urn"]] = provider["id"]
        state = _placed(old or {"custom": False, "type": new["type"]}, new, ids)
        if state is None:
            continue
        there.append(state)
        ids[state["urn"]] = state.get("id")
        if old is not None and old.get("custom") and not _is_provider(old):
            taken.append((str(state["urn"]), old))
    return {**deployment, "resources": there}, taken


def is_empty(deployment: State) -> bool:
    """Whether nothing stands behind any resource of a deployment."""
    return not any(state.get("custom") and not _is_provider(state) for state in deployment["resources"])


def _unsettled(stack: str, steps: Sequence[Mapping[str, Any]], errors: str) -> list[str]:
    """What a preview would make, replace or delete, one line each, and why it fails if it does. Providers and
    components are left out: nothing stands behind them."""
    found = [f"{stack}: {errors}"] if errors else []
    for step in steps:
        state = step.get("newState") or step.get("oldState") or {}
        if step["op"] not in {*_UNCHANGED, "update"} and state.get("custom") and not _is_provider(state):
            found.append(f"{stack}: {step['op']} {step['urn'].split('::', 2)[2]}")
    return found


def _default_provider(
    new: Mapping[str, Any], ids: Mapping[str, Any], others: Mapping[str, State]
) -> list[State]:
    """The default provider that `new` uses, as another stack has it; none where it is there. Previews in JSON do not
    show those."""
    urn = str(new.get("provider") or "").rpartition("::")[0]
    if not urn or urn in ids or "$" in urn:
        return []
    old = others.get(_key({"urn": urn, "type": urn.split("::")[2]}))
    return [] if old is None else [{**copy.deepcopy(old), "urn": urn}]


def _key(state: Mapping[str, Any]) -> str:
    """What a resource is called in any stack."""
    parts = str(state["urn"]).split("::", 3)
    return f"{state['type']}::{parts[3]}" if _is_provider(state) else f"{parts[2]}::{_without_stack(parts)}"


def _without_stack(parts: list[str]) -> str:
    # The root resource is named PROJECT-STACK.
    return "" if parts[2] == "pulumi:pulumi:Stack" else parts[3]


def _is_provider(state: Mapping[str, Any]) -> bool:
    return str(state["type"]).startswith(_PROVIDER)


def _placed(old: State, new: Mapping[str, Any], ids: Mapping[str, Any]) -> State | None:
    """`old` as the resource that `new` describes, depending on what is there (`ids`); None where its Provider or
    parent is not."""
    state = {**copy.deepcopy(old), "urn": new["urn"]}
    for name in ("parent", "provider", "dependencies", "propertyDependencies", "deletedWith", "replaceWith"):
        state.pop(name, None)
    if new.get("parent"):
        if new["parent"] not in ids:
            return None
        state["parent"] = new["parent"]
    if new.get("provider"):
        urn = str(new["provider"]).rpartition("::")[0]
        if urn not in ids:
            return None
        state["provider"] = f"{urn}::{ids[urn]}"
    state["dependencies"] = [urn for urn in new.get("dependencies") or [] if urn in ids]
    state["propertyDependencies"] = {
        name: [urn for urn in urns or [] if urn in ids]
        for name, urns in (new.get("propertyDependencies") or {}).items()
    }
    if new.get("deletedWith") in ids:
        state["deletedWith"] = new["deletedWith"]
    return {name: value for name, value in state.items() if value is not None}


def _without(deployment: State, gone: set[str]) -> State:
    """`deployment` without `gone`, and without the Providers and components that nothing uses because of it."""
    resources: list[State] = copy.deepcopy(deployment["resources"])
    gone = set(gone)
    grown = True
    while grown:
        used = {urn for resource in resources if resource["urn"] not in gone for urn in _above(resource)}
        idle = {urn for resource in resources if resource["urn"] in gone for urn in _above(resource)}
        idle = {urn for urn in idle - used - gone if "::pulumi:pulumi:Stack::" not in urn}
        grown = bool(idle)
        gone |= idle
    left = [resource for resource in resources if resource["urn"] not in gone]
    for resource in left:
        resource["dependencies"] = [urn for urn in resource.get("dependencies") or [] if urn not in gone]
        resource["propertyDependencies"] = {
            name: [urn for urn in urns or [] if urn not in gone]
            for name, urns in (resource.get("propertyDependencies") or {}).items()
        }
        if resource.get("deletedWith") in gone:
            del resource["deletedWith"]
    return {**deployment, "resources": left}


def _above(resource: Mapping[str, Any]) -> set[str]:
    """URNs of parent and Provider."""
    return {str(resource.get("parent") or ""), str(resource.get("provider") or "").rpartition("::")[0]} - {""}


def _preview(engine: Engine, stack: str) -> tuple[list[Mapping[str, Any]], str]:
    """Steps of a preview, and its errors, empty where it goes through. Raises Failure where there is none at all."""
    done = engine.ask(["preview", "--json", "--non-interactive", "--stack", stack])
    try:
        digest = json.loads(done.stdout)
    except ValueError:
        raise Failure(
            ExitCode.REFUSED, f"stack {stack} cannot be previewed:\n{done.stdout}{done.stderr}"
        ) from None
    told = [
        each["message"].strip() for each in digest.get("diagnostics") or [] if each["severity"] == "error"
    ]
    return digest.get("steps") or [], "" if done.returncode == 0 else "\n  ".join(told) or done.stderr


def _export(engine: Engine, stack: str) -> State:
    done = engine.ask(["stack", "export", "--show-secrets", "--non-interactive", "--stack", stack])
    if done.returncode != 0:
        raise Failure(ExitCode.REFUSED, f"the state of stack {stack} cannot be read:\n{done.stderr}")
    document: State = json.loads(done.stdout)
    if not (document.get("deployment") or {}).get("secrets_providers"):
        raise Failure(
            ExitCode.REFUSED,
            f"the state of stack {stack} does not say how its secrets are kept yet",
            f"run `pulumi refresh --yes --stack {stack}`, which writes it, then move",
        )
    return document


def _import(engine: Engine, stack: str, document: State) -> None:
    done = engine.ask(["stack", "import", "--non-interactive", "--stack", stack], given=json.dumps(document))
    if done.returncode != 0:
        raise Failure(ExitCode.REFUSED, f"the state of stack {stack} cannot be written:\n{done.stderr}")


def _restore(engine: Engine, before: Mapping[str, State]) -> None:
    for stack, document in before.items():
        _import(engine, stack, document)
