"""What still differs from the prediction: `cli.applications.missing`, on Application objects as Argo CD writes them."""

from typing import Any

import pytest

from cli.applications import Hub, Seen, Wanted, _seen, missing, wait
from cli.failure import ExitCode, Failure

WANTED = Wanted("external-secrets-a", "a", "external-secrets", "1.3.1", "external-secrets", "canary")


def seen(**changed: str) -> Seen:
    given: dict[str, Any] = {"version": "1.3.1", "sync": "Synced", "health": "Healthy"} | changed
    return Seen(application="external-secrets-a", cluster="a", addon="external-secrets", **given)


def test_a_fleet_as_predicted_misses_nothing() -> None:
    assert missing([WANTED], [seen()]) == []


@pytest.mark.parametrize(
    ("have", "said"),
    [
        ([], "is not there"),
        ([seen(version="1.2.1")], "is at 1.2.1, not yet at 1.3.1"),
        ([seen(version="1.2.1", message="no such chart")], "not yet at 1.3.1 (no such chart)"),
        ([seen(sync="OutOfSync")], "OutOfSync, Healthy"),
        ([seen(health="Degraded", message="no such chart")], "no such chart"),
        ([seen(sync="", health="")], "Unknown, Unknown"),
        ([seen(), Seen("stray", "a", "x", "1", "Synced", "Healthy")], "stray: should not be there"),
    ],
)
def test_every_difference_is_one_line(have: list[Seen], said: str) -> None:
    (line,) = missing([WANTED], have)
    assert said in line


def test_synced_is_only_believed_of_the_wanted_version() -> None:
    """Right after a version changed, the object still says Synced of the revision that was compared before."""
    item: dict[str, Any] = {
        "metadata": {
            "name": "external-secrets-a",
            "labels": {"fleet_cluster": "a", "fleet_addon": "external-secrets"},
        },
        "spec": {"source": {"targetRevision": "1.3.1"}, "destination": {"name": "a"}},
        "status": {"sync": {"status": "Synced", "revision": "1.2.1"}, "health": {"status": "Healthy"}},
    }
    assert _seen(item).sync == "OutOfSync"
    item["status"]["sync"]["revision"] = "1.3.1"
    assert _seen(item).sync == "Synced"


def test_synced_is_only_believed_of_the_wanted_values() -> None:
    """A change of values leaves the version as it is."""
    source = {"targetRevision": "10.3.3", "helm": {"valuesObject": {"replicas": 2}}}
    item: dict[str, Any] = {
        "metadata": {"name": "argocd"},
        "spec": {"source": source},
        "status": {
            "sync": {
                "status": "Synced",
                "revision": "10.3.3",
                "comparedTo": {
                    "source": {"targetRevision": "10.3.3", "helm": {"valuesObject": {"replicas": 1}}}
                },
            }
        },
    }
    assert _seen(item).sync == "OutOfSync"
    item["status"]["sync"]["comparedTo"]["source"] = source
    assert _seen(item).sync == "Synced"


def test_an_error_of_argo_cd_is_passed_on() -> None:
    item: dict[str, Any] = {
        "metadata": {"name": "x"},
        "spec": {"source": {"targetRevision": "1.3.1"}},
        "status": {
            "conditions": [{"type": "ComparisonError", "message": "403"}, {"type": "Info", "message": "no"}]
        },
    }
    assert _seen(item).message == "403"


class StubbornHub(Hub):
    """A hub whose Applications never become healthy. It proves nothing about a real hub's answers."""

    def __init__(self, answers: list[Seen]) -> None:
        self.answers = answers

    def applications(self) -> list[Seen]:
        return self.answers


def test_what_is_not_healthy_in_time_is_exit_code_4_and_says_why() -> None:
    heard: list[list[str]] = []
    with pytest.raises(Failure) as caught:
        wait(StubbornHub([seen(health="Degraded", message="no such chart")]), [WANTED], 0, heard.append)
    assert caught.value.code is ExitCode.UNHEALTHY
    assert "no such chart" in caught.value.what
    assert heard == [["external-secrets-a: Synced, Degraded (no such chart)"]]


def test_a_fleet_as_predicted_is_returned_with_cluster_and_ring() -> None:
    bare = Seen("external-secrets-a", "", "external-secrets", "1.3.1", "Synced", "Healthy")
    (one,) = wait(StubbornHub([bare]), [WANTED], 0, lambda lines: None)
    assert (one.cluster, one.ring) == ("a", "canary")


def test_what_another_stack_holds_is_left_out() -> None:
    """A stand-in for the API client; that a hub lists all of them is shown on a running sandbox."""

    class Objects:
        def list_namespaced_custom_object(self, *_: str, **__: int) -> dict[str, Any]:
            items = [("argocd", ""), ("external-secrets-a", "a"), ("external-secrets-b", "b"), ("stray", "b")]
            return {
                "items": [
                    {
                        "metadata": {"name": name, "labels": {"fleet_cluster": cluster} if cluster else {}},
                        "spec": {"source": {"targetRevision": "1.3.1"}},
                    }
                    for name, cluster in items
                ]
            }

    elsewhere = [
        Wanted("argocd", "hub", "argocd", "10.3.3", "argocd", "stable"),
        Wanted("external-secrets-b", "b", "external-secrets", "1.3.1", "external-secrets", "stable"),
    ]
    hub = Hub.__new__(Hub)
    hub._others = frozenset(want.application for want in elsewhere)
    hub._elsewhere = frozenset(want.cluster for want in elsewhere)
    hub._objects, hub._exception = Objects(), RuntimeError
    assert [one.application for one in hub.applications()] == ["external-secrets-a"]
