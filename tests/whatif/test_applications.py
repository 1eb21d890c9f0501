"""The difference in Applications: what counts, what becomes of what was delivered, and what its lines say.

The outputs here are drawn or made by hand, and those of random fleets from the model; that the CLI carries them is
shown in tests/whatif/test_against.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import Configuration
from model.exported import exported
from model.part import Part
from model.stamping import Delivery, application_name, delivery
from tests.model import random_fleets
from whatif.answer import Change, ChangeKind, Difference, Effect
from whatif.applications import UnreadableOutputs, applications, changes
from whatif.value_lines import MOST_LINES, names_secret, value_lines

Outputs = dict[str, Any]


def application(name: str = "dns-tokyo", **changed: Any) -> dict[str, Any]:
    """An entry of the output `applications`."""
    addon, _, cluster = name.partition("-")
    usual = {"version": "1.0.0", "namespace": addon, "ring": "stable", "values": "a" * 16, "removing": False}
    return {"application": name, "cluster": cluster, "addon": addon, **usual, **changed}


def outputs(*entries: dict[str, Any], kept: tuple[str, ...] = (), **values: Mapping[str, Any]) -> Outputs:
    """Outputs of a stack; each keyword is the first character of a digest and its text."""
    texts = {digest * 16: json.dumps(content) for digest, content in values.items()}
    return {"applications": list(entries), "kept": list(kept), "values": texts}


def only(found: tuple[Change, ...]) -> Change:
    """The one change there is."""
    assert len(found) == 1, found
    return found[0]


def test_one_that_appears_and_one_that_goes() -> None:
    there = outputs(application())
    added = only(changes(outputs(), there))
    assert (added.change, added.from_, added.to, added.effect) == (ChangeKind.ADDED, None, "1.0.0", None)
    assert (added.application, added.cluster, added.addon) == ("dns-tokyo", "tokyo", "dns")
    removed = only(changes(there, outputs()))
    assert (removed.change, removed.from_, removed.to) == (ChangeKind.REMOVED, "1.0.0", None)
    assert removed.effect is Effect.ORPHANED


@pytest.mark.parametrize(
    ("head", "destroyed", "effect"),
    [
        (outputs(application(removing=True, version="e" * 40)), (), Effect.PRUNED),
        (outputs(application(removing=True), kept=("dns-tokyo",)), (), Effect.PRUNED),
        (outputs(kept=("dns-tokyo",)), (), Effect.KEPT),
        (outputs(kept=("dns-osaka",)), (), Effect.ORPHANED),
        (outputs(), ("tokyo",), Effect.PRUNED),
        (outputs(kept=("dns-tokyo",)), ("tokyo",), Effect.PRUNED),
        (outputs(), ("osaka",), Effect.ORPHANED),
    ],
)
def test_what_becomes_of_what_was_delivered(
    head: Outputs, destroyed: tuple[str, ...], effect: Effect
) -> None:
    found = only(changes(outputs(application()), head, destroyed))
    assert (found.change, found.effect, found.to) == (ChangeKind.REMOVED, effect, None)


def test_what_is_being_removed_already_is_no_change_when_it_is_gone() -> None:
    leaving = outputs(application(removing=True))
    assert changes(leaving, outputs()) == ()
    assert changes(leaving, outputs(), ("tokyo",)) == ()
    assert changes(leaving, outputs(application(removing=True, version="2", values="b" * 16))) == ()
    assert changes(outputs(), leaving) == ()
    assert only(changes(leaving, outputs(application()))).change is ChangeKind.ADDED


def test_what_an_earlier_change_kept_is_pruned_by_one_that_removes() -> None:
    """Its objects still carry the Application's mark, so the empty source takes them away now."""
    found = only(changes(outputs(kept=("dns-tokyo",)), outputs(application(removing=True))))
    assert (found.change, found.from_, found.effect) == (ChangeKind.REMOVED, None, Effect.PRUNED)


def test_first_of_what_differs_names_the_change_and_the_rest_goes_along() -> None:
    before = outputs(application(), a={"values": {"replicas": 1}})
    everything = application(ring="canary", version="2.0.0", values="b" * 16)
    found = only(changes(before, outputs(everything, b={"values": {"replicas": 2}})))
    assert (found.change, found.from_, found.to) == (ChangeKind.RING, "stable", "canary")
    assert [(one.change.value, one.from_, one.to) for one in found.also] == [
        ("version", "1.0.0", "2.0.0"),
        ("values", "a" * 16, "b" * 16),
    ]
    assert found.details == ("replicas: 1 -> 2",)
    found = only(changes(before, outputs(application(version="2.0.0", values="b" * 16))))
    assert (found.change, [one.change for one in found.also]) == (ChangeKind.VERSION, [ChangeKind.VALUES])
    found = only(changes(before, outputs(application(values="b" * 16))))
    assert (found.change, found.from_, found.to, found.also) == (ChangeKind.VALUES, "a" * 16, "b" * 16, ())


def test_an_older_revision_claims_no_change_of_values() -> None:
    old = application()
    del old["values"], old["removing"]
    before = {"applications": [old], "clusters": ["tokyo"]}
    assert changes(before, outputs(application())) == ()
    assert changes(outputs(application()), before) == ()
    moved = only(changes(before, outputs(application(namespace="other"))))
    assert (moved.change, moved.from_, moved.to) == (ChangeKind.VALUES, None, "a" * 16)
    assert moved.details == ("Application.namespace: dns -> other",)
    assert [one.values for one in applications(before)] == [None]
    assert changes({}, outputs(application()))[0].change is ChangeKind.ADDED, "a stack without a resource"


def test_same_name_of_another_cluster_is_another_application() -> None:
    before = outputs(application("a-b-c", addon="a-b", cluster="c"))
    after = outputs(application("a-b-c", addon="a", cluster="b-c"))
    assert [one.change.value for one in changes(before, after)] == ["added", "removed"]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (
            {"applications": {"4dabf18193072939515e22adb298388d": "x"}},
            "applications: dict stands where a list",
        ),
        ({"applications": ["x"]}, r"applications\[0\].application: Field required"),
        (
            {"applications": [application(), application(version=7)]},
            r"applications\[1\].version: Input should be",
        ),
        (
            {"applications": [application(version="x" * 3000)]},
            r"applications\[0\].version: String should have",
        ),
    ],
)
def test_outputs_of_something_else_are_refused(given: Outputs, where: str) -> None:
    with pytest.raises(UnreadableOutputs, match=where):
        changes(given, outputs())
    with pytest.raises(UnreadableOutputs, match="of this program"):
        changes(outputs(), given)


@pytest.mark.parametrize("text", ["[" * 100_000, "no JSON", "[1]", 7, None])
def test_texts_that_nobody_can_read_have_no_lines(text: Any) -> None:
    before, after = outputs(application(), a={}), outputs(application(values="b" * 16))
    after["values"]["b" * 16] = text
    assert only(changes(before, after)).details == ()


def test_texts_that_are_nested_beyond_measure_end_no_run() -> None:
    deep = json.loads("[" * 700 + "1" + "]" * 700)
    deeper = json.loads("[" * 700 + "2" + "]" * 700)
    before, after = outputs(application(), a={"values": deep}), outputs(application(values="b" * 16))
    after["values"]["b" * 16] = json.dumps({"values": deeper})
    assert len(only(changes(before, after)).details) == 1


# Properties, over drawn outputs.

_entries = st.dictionaries(
    st.tuples(st.sampled_from(["dns", "secrets"]), st.sampled_from(["tokyo", "osaka", "hub"])),
    st.fixed_dictionaries(
        {
            "version": st.sampled_from(["1.0.0", "1.1.0"]),
            "ring": st.sampled_from(["canary", "stable"]),
            "values": st.sampled_from(["a" * 16, "b" * 16]),
            "removing": st.booleans(),
        }
    ),
)


@st.composite
def drawn_outputs(draw: st.DrawFn) -> Outputs:
    entries = draw(_entries)
    made = [application(f"{addon}-{cluster}", **given) for (addon, cluster), given in entries.items()]
    kept = draw(st.lists(st.sampled_from(["dns-tokyo", "secrets-osaka", "dns-hub"]), unique=True))
    there = {one["application"] for one in made}
    return outputs(*made, kept=tuple(name for name in kept if name not in there))


def _delivered(given: Outputs) -> dict[str, tuple[str, str, str]]:
    return {
        one["application"]: (one["ring"], one["version"], one["values"])
        for one in given["applications"]
        if not one["removing"]
    }


@settings(deadline=None)
@given(drawn_outputs(), drawn_outputs())
def test_changes_applied_to_the_base_give_the_head(base: Outputs, head: Outputs) -> None:
    state, wanted = _delivered(base), _delivered(head)
    for one in changes(base, head):
        if one.change is ChangeKind.REMOVED:
            assert state.pop(one.application, None) is not None or one.application in base["kept"]
        elif one.change is ChangeKind.ADDED:
            assert one.application not in state
            assert one.to == wanted[one.application][1]
            state[one.application] = wanted[one.application]
        else:
            now = dict(zip(("ring", "version", "values"), state[one.application], strict=True))
            parts: tuple[Change | Difference, ...] = (one, *one.also)
            for part in parts:
                assert now[part.change.value] == part.from_ != part.to
                assert part.to is not None
                now[part.change.value] = part.to
            state[one.application] = (now["ring"], now["version"], now["values"])
    assert state == wanted


@settings(deadline=None)
@given(drawn_outputs(), drawn_outputs())
def test_the_other_way_round_is_the_opposite(base: Outputs, head: Outputs) -> None:
    opposite = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
    base["kept"] = head["kept"] = []
    there = {one.application: one for one in changes(base, head)}
    back = {one.application: one for one in changes(head, base)}
    assert set(there) == set(back)
    for name, one in there.items():
        other = back[name]
        assert other.change is opposite.get(one.change, one.change)
        assert (other.from_, other.to) == (one.to, one.from_)
        assert [(part.change, part.from_, part.to) for part in other.also] == [
            (part.change, part.to, part.from_) for part in one.also
        ]
    assert changes(base, base) == ()


@settings(max_examples=25, deadline=None)
@given(random_fleets.changes())
def test_what_becomes_of_it_is_what_the_entries_say(
    drawn: tuple[random_fleets.Configuration, random_fleets.Configuration],
) -> None:
    """Over random edits of the files of a fleet, held against the rules of delivery."""
    before, after = (Configuration(fleet=one.fleet, catalogue=one.catalogue, part=Part()) for one in drawn)
    states = _states(after)
    was = {name for name, state in _states(before).items() if state is Delivery.DELIVERED}
    found = changes(exported(before), exported(after))
    for one in found:
        state = states.get(one.application)
        if one.addon == "argocd":
            assert one.change not in {ChangeKind.ADDED, ChangeKind.REMOVED}
        elif one.change is ChangeKind.REMOVED:
            expected = {Delivery.REMOVING: Effect.PRUNED, Delivery.NONE: Effect.KEPT}
            assert one.effect is expected.get(state or Delivery.DELIVERED, Effect.ORPHANED)
        else:
            assert state is Delivery.DELIVERED
            assert (one.change is ChangeKind.ADDED) is (one.application not in was)
    ended = {name for name in was if states.get(name) is not Delivery.DELIVERED}
    assert ended <= {one.application for one in found if one.change is ChangeKind.REMOVED}


def _states(configuration: Configuration) -> dict[str, Delivery]:
    """Application -> what becomes of it, for the clusters that an add-on selects."""
    return {
        application_name(name, cluster.name): delivery(cluster, name, addon)
        for name, addon in configuration.catalogue.addons.items()
        for cluster in configuration.fleet.clusters
        if addon.select.takes(cluster)
    }


# Lines.


def lines(before: Any, after: Any) -> tuple[str, ...]:
    """The lines for two chart values."""
    return value_lines({"values": before}, {"values": after})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, ("a: 1 -> 2",)),
        ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "y"}}}, ("a.b.c: x -> y",)),
        ({"a": {"b.c/d": 1}}, {"a": {"b.c/d": 2}}, ('a["b.c/d"]: 1 -> 2',)),
        ({}, {"a": 1, "b": None}, ("a: (nothing) -> 1", "b: (nothing) -> null")),
        ({"a": {"b": 1}}, {}, ('a: {"b":1} -> (nothing)',)),
        ({"a": 1}, {"a": "1"}, ('a: 1 -> "1"',)),
        ({"a": True}, {"a": 1}, ("a: true -> 1",)),
        ({"a": "yes"}, {"a": ""}, ('a: "yes" -> ""',)),
        ({"a": "two\nlines"}, {"a": " x"}, ('a: "two\\nlines" -> " x"',)),
        ({"a": "データ"}, {"a": "x\u202ey"}, ('a: データ -> "x\\u202ey"',)),
        ({"a": "\ud800"}, {"a\nb": 1}, ('a: "\\ud800" -> (nothing)', '["a\\nb"]: (nothing) -> 1')),
        ({"a": [1, 2, 3]}, {"a": [1, 5, 3]}, ("a[1]: 2 -> 5",)),
        ({"a": [1]}, {"a": [1, 2]}, ("a: [1] -> [1,2]",)),
        ({"a": "x" * 500}, {"a": "y"}, (f"a: {'x' * 120}... (500 characters) -> y",)),
        ({"a": 1, "b": [{}]}, {"a": 1, "b": [{}]}, ()),
    ],
)
def test_lines(before: Any, after: Any, expected: tuple[str, ...]) -> None:
    assert lines(before, after) == expected


def test_what_is_not_a_chart_value_is_told_apart() -> None:
    before = {"namespace": "a", "values": {"namespace": "x"}, "settings": {"syncPolicy": {"retry": 1}}}
    after = {"namespace": "b", "values": {"namespace": "y"}, "settings": {"syncPolicy": {"retry": 2}}}
    assert set(value_lines(before, after)) == {
        "Application.namespace: a -> b",
        "Application.settings.syncPolicy.retry: 1 -> 2",
        "namespace: x -> y",
    }


def test_no_more_lines_than_a_person_reads_and_none_cut_in_silence() -> None:
    found = lines({}, {f"key{number:03}": number for number in range(100)})
    assert len(found) == MOST_LINES + 1
    assert found[-1] == "... and 60 more"
    exactly = lines({}, {f"key{number}": number for number in range(MOST_LINES)})
    assert len(exactly) == MOST_LINES
    assert "more" not in exactly[-1]


PLANTED = "hunter2-correct-horse"


@pytest.mark.parametrize(
    "values",
    [
        {"password": PLANTED},
        {"adminPassword": {"value": PLANTED}},
        {"db": {"passwd": PLANTED}},
        {"token": [PLANTED]},
        {"githubToken": PLANTED},
        {"oauth": {"clientSecret": PLANTED}},
        {"secrets": {"one": {"two": [{"three": PLANTED}]}}},
        {"tls": {"privateKey": PLANTED}},
        {"api_key": PLANTED},
        {"keyMaterial": PLANTED},
        {"env": [{"name": "DB_PASSWORD", "value": PLANTED}]},
        {"extra": {"list": [{"name": "API-TOKEN", "value": PLANTED}, {"a": 1}]}},
        {"credentials": PLANTED},
        {"auth": PLANTED},
        {"connectionString": PLANTED},
    ],
    ids=str,
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(values: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(values).replace(PLANTED, f"new-{PLANTED}"))
    nested = ({"outer": {"list": [values]}}, {"outer": {"list": [values, 1]}})
    for before, after in ((values, changed), ({}, values), (values, {}), nested, ({"x": 1}, {"x": values})):
        found = lines(before, after)
        assert found, "that it changed is told"
        assert PLANTED not in "\n".join(found)
        assert "[hidden]" in "\n".join(found)


def test_what_only_says_where_a_secret_is_stays_readable() -> None:
    before = {"secretName": "one", "passwordEnabled": True, "replicas": 1, "externalSecrets": {"replicas": 1}}
    after = {"secretName": "two", "passwordEnabled": False, "replicas": 2, "externalSecrets": {"replicas": 2}}
    assert lines(before, after) == (
        "externalSecrets.replicas: 1 -> 2",
        "passwordEnabled: true -> false",
        "replicas: 1 -> 2",
        "secretName: one -> two",
    )
    assert not any(names_secret(key) for key in ("replicas", "image", "keys", "monkey", "author", "region"))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
_maps = st.dictionaries(st.text(max_size=4), _values, max_size=4)


@settings(deadline=None)
@given(_maps, _maps)
def test_there_are_lines_exactly_where_something_differs(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = lines(before, after)
    assert bool(found) is (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
    assert all(line.isprintable() and len(line) < 2_000 for line in found)
