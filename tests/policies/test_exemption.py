"""Exemptions and parameters: what they match, when they end, and how a mistake in them is said.

Proves it on the rules as functions and through `validate`, as the SDK calls it; test_cli.py with the real CLI.
"""

from datetime import date
from typing import Any

import pytest
from pulumi_policy.proxy import unknown_checking_proxy

from policies.rules.deletion import cluster_protection, protect_option
from policies.rules.exemption import Exemption, Ledger
from policies.rules.exemptions import expired, granted, unused
from policies.rules.parameter import ConfigurationError
from policies.rules.pinning import image_tag, ring_one_version
from policies.rules.stack_rule import StackRule

from .test_image import deployment
from .test_ring import clusters, ring, stamping

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
URN = f"urn:pulumi:dev::shop::my:index:App${DEPLOYMENT}::web"


class Args:
    """What the SDK hands to a resource policy, or to a stack policy."""

    class opts:  # as the SDK names it
        protect = False

    def __init__(self, urn: str, configuration: dict[str, Any], resources: list[Any] | None = None) -> None:
        self.urn, self.name, self.resource_type = urn, urn.rpartition("::")[2], DEPLOYMENT
        self.props = unknown_checking_proxy(deployment("nginx"))
        self.configuration = configuration
        self.resources = resources or []

    def get_config(self) -> dict[str, Any]:
        return self.configuration


def exempt(resource: str = "web", until: str = "2027-06-30", reason: str = "not ours") -> dict[str, str]:
    return {"resource": resource, "until": until, "reason": reason}


def said(ledger: Ledger, today: str, *given: dict[str, str], urn: str = URN) -> list[str]:
    messages: list[str] = []
    image_tag.RULE.validate(Args(urn, {"exemptions": list(given), "today": today}), messages.append, ledger)
    return messages


def told(rule: StackRule, ledger: Ledger) -> list[str]:
    return [str(finding) for finding in rule.findings([], {}, ledger)]


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("web", True),
        ("w*", True),
        ("?eb", True),
        (f"{DEPLOYMENT}::web", True),
        ("kubernetes:apps/*::web", True),
        (URN, True),
        ("urn:pulumi:dev::shop::*::web", True),
        ("*$kubernetes:apps/v1:Deployment::*", True),
        ("*", True),
        ("Web", False),
        ("we", False),
        (DEPLOYMENT, False),
        ("urn:pulumi:prod::*", False),
        ("", False),
    ],
)
def test_a_pattern_is_held_against_name_type_and_urn(pattern: str, covered: bool) -> None:
    one = Exemption(rule="r", resource=pattern, reason="x", until=date(2027, 1, 1))
    assert one.covers(URN) is covered


def test_names_with_colons_are_names() -> None:
    one = Exemption(rule="r", resource="a::b", reason="x", until=date(2027, 1, 1))
    assert one.covers("urn:pulumi:dev::shop::t:x:y::a::b")
    assert not one.covers("not a urn")


def test_an_exemption_holds_up_to_its_day() -> None:
    assert len(said(Ledger(), "2027-01-01")) == 1
    assert said(Ledger(), "2027-06-30", exempt()) == []
    assert len(said(Ledger(), "2027-07-01", exempt())) == 1
    assert len(said(Ledger(), "2027-01-01", exempt("other"))) == 1


def test_what_is_granted_unused_and_expired_is_said() -> None:
    ledger = Ledger()
    said(ledger, "2027-01-01", exempt("w*", reason="its image is built here"), exempt("other"))
    (message,) = told(granted.RULE, ledger)
    assert 'is "w*": one finding is exempt until 2027-06-30, because: its image is built here' in message
    (message,) = told(unused.RULE, ledger)
    assert 'is "other": no resource that it matches violates the rule' in message
    assert told(expired.RULE, ledger) == []
    ledger = Ledger()
    said(ledger, "2027-07-01", exempt(), exempt("other"))
    assert [message.split(" is ")[0] for message in told(expired.RULE, ledger)] == [
        "until of the exemption of web from image-pinned",
        "until of the exemption of other from image-pinned",
    ]
    assert told(granted.RULE, ledger) == []
    assert expired.RULE.mandatory
    assert not unused.RULE.mandatory
    assert not granted.RULE.mandatory


def test_an_exemption_of_a_resource_that_a_rule_does_not_concern_is_read_all_the_same() -> None:
    """Each rule is asked about every resource, so a rule that concerns none still tells what has expired."""
    ledger = Ledger()
    protect = Args(
        "urn:pulumi:dev::shop::pulumi:pulumi:Stack::s", {"exemptions": [exempt()], "today": "2028-01-01"}
    )
    cluster_protection.RULE.validate(protect, lambda message: None, ledger)
    assert len(told(expired.RULE, ledger)) == 1


def test_the_hosts_day_is_taken_where_none_is_given() -> None:
    configuration = {"exemptions": [exempt(until=date.today().isoformat())]}
    messages: list[str] = []
    image_tag.RULE.validate(Args(URN, configuration), messages.append)
    assert messages == []


def test_a_finding_of_a_stack_rule_is_exempt_by_its_own_resource() -> None:
    class Seen:
        def __init__(self, name: str, version: str) -> None:
            made = stamping(name, clusters(version, ring("x")))
            self.resource_type, self.name, self.urn = made.type, made.name, made.urn
            self.props, self.opts = unknown_checking_proxy(dict(made.properties)), Args.opts

    def reported(pattern: str) -> list[str | None]:
        urns: list[str | None] = []
        given = {"exemptions": [exempt(pattern)], "today": "2027-01-01"}
        args = Args(URN, given, [Seen("a", "1.2.3"), Seen("b", "1.2.2")])
        ring_one_version.RULE.validate(args, lambda message, urn: urns.append(urn))
        return urns

    assert reported("b") == []
    (urn,) = reported("a")
    assert urn is not None
    assert urn.endswith("::b")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("web", ['exemptions is "web": an array belongs there; write']),
        (
            [exempt(until="soon")],
            ['exemptions[0].until is "soon": this is no day; write a day such as "2027-06-30"'],
        ),
        ([exempt(until="20270630")], ['exemptions[0].until is "20270630"']),
        ([exempt(until="2027-02-30")], ['exemptions[0].until is "2027-02-30"']),
        ([exempt(reason=" ")], ['exemptions[0].reason is " ": it is empty; write why']),
        (
            [exempt(), {"resource": "x"}],
            ["exemptions[1].reason: it is missing", "exemptions[1].until: it is"],
        ),
        (
            [{**exempt(), "untill": "x"}],
            ['exemptions[0].untill is "x": there is no such field; there are resource'],
        ),
        ([exempt(), 3], ["exemptions[1] is 3: an object belongs there"]),
    ],
    ids=repr,
)
def test_every_mistake_in_an_exemption_is_said_with_rule_field_value_and_remedy(
    given: Any, expected: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        image_tag.RULE.settings({"exemptions": given})
    lines = str(raised.value).splitlines()
    assert len(lines) == len(expected)
    for line, text in zip(lines, expected, strict=True):
        assert line.startswith(f"configuration of rule image-pinned: {text}")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"types": "x"}, 'types is "x": an array belongs there; write type tokens'),
        ({"types": ["x", 1]}, "types[1] is 1: a string belongs there"),
        ({"tipes": []}, "tipes is []: there is no such parameter; the rule has types, exemptions, today"),
    ],
    ids=repr,
)
def test_every_mistake_in_a_parameter_is_said(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        protect_option.RULE.settings(given)
    assert str(raised.value).startswith(f"configuration of rule resource-protected: {expected}")


def test_a_mistake_in_the_configuration_is_none_of_the_rule_or_the_resource() -> None:
    with pytest.raises(ConfigurationError, match='today is "soon": this is no day'):
        said(Ledger(), "soon", exempt())
