"""No shape of a resource makes a rule about keys, networks, money or rights fail, and no unknown is an offence.

Proves it for shapes that hypothesis makes, for the examples of those rules with any part put out of shape, and
for the same with any part not known: through the engine's proxies.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.rules import Rule
from policies.rules.cost import RULES as COST
from policies.rules.keyless import RULES as KEYLESS
from policies.rules.least_privilege import RULES as LEAST_PRIVILEGE
from policies.rules.place import Place, from_base64, read_json, read_yaml
from policies.rules.private import RULES as PRIVATE

from . import test_cost, test_keyless, test_least_privilege, test_private
from .examples import Example

RULES: tuple[Rule, ...] = (*KEYLESS, *PRIVATE, *COST, *LEAST_PRIVILEGE)
EXAMPLES: list[Example] = [
    *test_keyless.EXAMPLES,
    *test_private.EXAMPLES,
    *test_cost.EXAMPLES,
    *test_least_privilege.EXAMPLES,
]
REFUSED = [example for example in EXAMPLES if example.paths]

TYPES = sorted({example.type for example in EXAMPLES} | {"kubernetes:core/v1:List", "", ":", "a:b:c"})
TEXTS = sorted({
    "", "true", "false", "*", "**", "0.0.0.0/0", "default", "roles/owner", "allUsers", "users clusters: [",
    '{"bindings": [1, {"members": "x"}]}', "ey", "-standard-", "99999999999s",
    "clusters: &a [*a]\nusers: &b {user: *b, c: *a}",
    "a\nb", "a\x00", "{{.values.x}}", "\u0661", "\u00b2", "[" * 600, "users: clusters: " + "[" * 600,
    "principal://", "users:\n- *x\nclusters: 1", UNKNOWN_STRING_VALUE, "cluster", "EXTENDED",
})  # fmt: skip


def keys_of(value: object) -> set[str]:
    """Every key in the examples: shapes of these reach further than shapes of any."""
    if isinstance(value, dict):
        return set(value).union(*(keys_of(inner) for inner in value.values()))
    return set().union(*(keys_of(inner) for inner in value)) if isinstance(value, list) else set()


KEYS = st.sampled_from(sorted(set().union(*(keys_of(example.properties) for example in EXAMPLES))))
LEAVES = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(TEXTS) | st.text(max_size=8)
)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
SLOW = [HealthCheck.too_slow]


def held_against_every_rule(resource_type: str, properties: dict[str, Any]) -> None:
    for rule in RULES:
        found = rule.findings(resource_type, unknown_checking_proxy(properties))
        assert len({finding.path for finding in found}) == len(found)
        for finding in found:
            assert finding.path
            assert "\n" not in str(finding)


def places(value: Any, holder: Any = None, key: Any = None) -> list[tuple[Any, Any]]:
    """Every place in a value as holder and key, the whole left out."""
    here = [] if holder is None else [(holder, key)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return here + [place for name, each in inner for place in places(each, value, name)]


@given(st.sampled_from(TYPES), st.dictionaries(KEYS, SHAPES, max_size=5))
@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
def test_no_shape_makes_a_rule_fail(resource_type: str, properties: dict[str, Any]) -> None:
    held_against_every_rule(resource_type, properties)


@given(st.sampled_from(REFUSED), SHAPES, st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
def test_no_shape_in_the_place_of_a_part_makes_a_rule_fail(
    example: Example, shape: Any, data: st.DataObject
) -> None:
    properties = copy.deepcopy(example.properties)
    if found := places(properties):
        holder, key = data.draw(st.sampled_from(found))
        holder[key] = shape
    held_against_every_rule(example.type, properties)


@given(SHAPES)
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
def test_no_text_inside_a_text_makes_a_rule_fail(shape: Any) -> None:
    """The documents that stand in texts: kubeconfigs, configurations of clusters, policies."""
    text = json.dumps(shape)
    for resource_type, properties in (
        ("pulumi:providers:kubernetes", {"kubeconfig": text}),
        ("kubernetes:core/v1:Secret", test_keyless.secret("cluster", config=text)),
        (
            "kubernetes:core/v1:Secret",
            test_keyless.secret(None, config=f'{{"users": {text}, "clusters": {text}}}'),
        ),
        ("gcp:projects/iAMPolicy:IAMPolicy", {"policyData": text}),
    ):
        held_against_every_rule(resource_type, properties)


EXISTENCE = {"no-service-account-keys", "no-attached-clusters", "no-gke-backup", "network-charges"}
"""Rules to which it is enough that a resource is there."""


def leaves(value: Any) -> list[tuple[Any, Any]]:
    return [(holder, key) for holder, key in places(value) if not isinstance(holder[key], (dict, list))]


@pytest.mark.parametrize("example", [one for one in REFUSED if one.rule not in EXISTENCE], ids=str)
def test_where_nothing_is_known_nothing_is_an_offence(example: Example) -> None:
    """All values unknown but those by which a resource is known for what it is; what is missing stays missing."""
    properties = copy.deepcopy(example.properties)
    for holder, key in leaves(properties):
        holder[key] = UNKNOWN_STRING_VALUE
    unknown = Example(example.rule, example.type, properties, configuration=example.configuration)
    for finding in unknown.findings(RULES):
        assert "is not set" in str(finding)


@pytest.mark.parametrize("example", REFUSED, ids=str)
def test_one_unknown_hides_no_other_offence(example: Example) -> None:
    """With any one leaf unknown a rule says no more than before, and does not fail."""
    for index in range(len(leaves(example.properties))):
        properties = copy.deepcopy(example.properties)
        holder, key = leaves(properties)[index]
        holder[key] = UNKNOWN_STRING_VALUE
        held_against_every_rule(example.type, properties)
        one = Example(example.rule, example.type, properties, configuration=example.configuration)
        assert {finding.path for finding in one.findings(RULES)} <= set(example.paths)


@given(st.text(max_size=60) | st.sampled_from(TEXTS))
@settings(deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    read_json(text)
    read_yaml(text)
    from_base64(text)
    assert Place(text).number is None or text.isdigit()
