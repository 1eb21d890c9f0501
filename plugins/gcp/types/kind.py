"""What is known of one type of Google Cloud without asking Google.

Owns the shape of that knowledge and the questions it answers. Does not own the types: those are beside it,
a file for each area. What a change means comes from the table of plugins/gcp/replacement.json.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.gcp.replacement import Replacement, Verdict, replacement

Inputs = Mapping[str, Any]
Numbers = Callable[[str], str]
"""Project id -> project number, both as strings."""


@dataclass(frozen=True)
class Rule:
    """`pattern` must match the whole value; `says` ends the sentence "must ..."."""

    pattern: str
    says: str

    def refuses(self, value: str) -> bool:
        """Whether Google would not take `value`."""
        return re.fullmatch(self.pattern, value) is None


@dataclass(frozen=True, kw_only=True)
class GcpType:
    """One type. Paths are dotted camelCase without indexes and mean everything below them too.

    `required`: inputs without which Google answers with an error. `defaults`: what the provider fills in.
    `autoname`: the input that takes a generated name, in lower case with `lower_case`. `plain_name`: the one
    that takes the resource's own name. `place`: the one that the provider's zone or region stands in for.
    `protection`: the one that forbids to delete. `implied`: inputs that other inputs say. `computed`:
    outputs that only the server knows. `secret_outputs`: as the provider marks. `id_form`: a pattern whose
    named groups are the inputs that an id says. `spaced`: an import separates the parts of an id by spaces.
    `exclusive`: creating it twice is an error, as against enabling an API or granting a role.
    """

    token: str
    id_of: Callable[[Inputs], str]
    fill: Callable[[Inputs, Numbers], dict[str, Any]] = lambda inputs, numbers: {}
    implied: Callable[[Inputs], dict[str, str]] = lambda inputs: {}
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    autoname: str | None = None
    plain_name: str | None = None
    place: str | None = None
    lower_case: bool = False
    spaced: bool = False
    protection: str | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    takes_project: bool = True
    id_form: str = ""
    exclusive: bool = True

    @property
    def replacement(self) -> Replacement:
        """What a change of each input means."""
        return replacement(self.token)

    @property
    def replace_on(self) -> frozenset[str]:
        """Inputs that cannot change in place."""
        return self.replacement.replaces

    def identify(self, inputs: Inputs) -> str:
        """The id that a resource with `inputs` has.

        Raises KeyError where an input that it is made of is missing.
        """
        return self.id_of(self.completed(inputs))

    def generated_name(self, name: str, suffix: str) -> str:
        """The name of a resource that was given none: the program's `name` and a random `suffix`."""
        made = f"{name}-{suffix}"
        return made.lower() if self.lower_case else made

    def completed(self, inputs: Inputs) -> dict[str, Any]:
        """`inputs` with those that others say."""
        full = dict(inputs)
        for name, value in self.implied(inputs).items():
            if full.get(name) in (None, ""):
                full[name] = value
        return full

    def from_id(self, id_: str) -> dict[str, str]:
        """The inputs that an id says, for an import. Raises ValueError where it has not this type's form."""
        match = re.fullmatch(self.id_form, id_)
        if match is None:
            raise ValueError(f"{id_!r} is no id of {self.token}")
        return {name: value for name, value in match.groupdict().items() if value is not None}

    def imported_id(self, id_: str) -> str:
        """The id of what an import asks for by `id_`, which may have another form than ids in a state.

        Raises ValueError for a form that the provider does not take.
        """
        if self.spaced and len(id_.split()) < 3:
            raise ValueError(
                f"Wrong number of parts to Member id [{id_}]; expected 'resource_name role member [condition_title]'."
            )
        try:
            # A member has no space in it, so the first one begins the title of a condition.
            return self.identify(self.from_id(id_)).replace(" ", "/", 1)
        except KeyError:
            return id_

    def imported(self, live: Inputs) -> dict[str, Any]:
        """Inputs as an import brings them, of a resource whose inputs are `live`."""
        kept = {name: value for name, value in live.items() if name not in self.replacement.unread}
        return kept | ({self.protection: True} if self.protection else {})

    def outputs(self, inputs: Inputs, project_number: Numbers) -> dict[str, Any]:
        """All outputs of a resource with `inputs`: these, defaults, and stable values for what Google computes."""
        known = self.completed({**copy.deepcopy(dict(self.defaults)), **copy.deepcopy(dict(inputs))})
        known.pop("__defaults", None)
        return known | self.fill(known, project_number)

    def replaces(self, path: str) -> bool:
        """Whether a change at `path` (dotted, without indexes) always means a new resource."""
        return self.replacement.verdict(path) == "replaces"

    def may_replace(self, path: str) -> bool:
        """Whether the table does not say what a change at `path` means."""
        return self.replacement.verdict(path) == "not known"

    def replaced_by(self, old: Inputs, new: Inputs) -> list[str]:
        """Paths (with indexes) of the changes from `old` to `new` that need a new resource."""
        return sorted(path for path, verdict in self.changes(old, new).items() if verdict == "replaces")

    def changes(self, old: Inputs, new: Inputs, live: Inputs | None = None) -> dict[str, Verdict]:
        """What each change from `old` to `new` means: path (with indexes) -> replaces, in place, not known.

        `live` are the outputs, where they are known.
        """
        return self.replacement.changes(old, new, live)

    def problems(self, inputs: Inputs) -> list[tuple[str, str]]:
        """(input, why Google would refuse it) for missing inputs and values against the rules.

        Only strings are judged.
        """
        found = [(name, "is required") for name in self.required if inputs.get(name) in (None, "")]
        for name, rule in self.rules.items():
            value = value_at(inputs, name)
            if isinstance(value, str) and value and rule.refuses(value):
                found.append((name, f"is {value!r} and must {rule.says}"))
        return found

    def refuses_delete(self, outputs: Inputs) -> str | None:
        """The provider's own refusal to delete, where a protection of Google is on."""
        if self.protection and outputs.get(self.protection) is True:
            return (
                "Cannot destroy cluster because deletion_protection is set to true. "
                "Set it to false to proceed with cluster deletion."
            )
        if outputs.get("deletionPolicy") == "PREVENT":
            return f"Cannot destroy {self.token} because deletion_policy is set to PREVENT."
        return None


def value_at(inputs: Inputs, path: str) -> Any:
    """The value at a dotted `path`, None where there is none."""
    value: Any = inputs
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
