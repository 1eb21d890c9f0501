"""`cli.held` without a cluster: who stands behind what a cluster holds. That it counts what a cluster really holds is
shown on a running sandbox (tests/e2e/test_life.py)."""

from typing import Any

from cli.applications import Seen, _seen
from cli.held import Found, holdings

EMPTY = ("d" * 40, "empty")


def seen(application: str, cluster: str, **more: Any) -> Seen:
    addon = application.removesuffix(f"-{cluster}")
    return Seen(application, cluster, addon, more.pop("version", "1.0.0"), "Synced", "Healthy", **more)


def found(application: str, objects: int, workloads: int) -> list[Found]:
    return [Found(application, number < workloads) for number in range(objects)]


def states(rows: list[Any]) -> dict[str, tuple[Any, ...]]:
    return {row.addon: (row.state, row.objects, row.workloads, row.owned) for row in rows}


def test_what_an_application_stands_behind_is_delivered() -> None:
    rows = holdings("a", found("agent-a", 5, 2), [seen("agent-a", "a", owned=7)], EMPTY)
    assert states(rows) == {"agent": ("delivered", 5, 2, 7)}


def test_what_no_application_stands_behind_is_kept() -> None:
    """Also where another cluster has an Application of the same add-on."""
    rows = holdings("a", found("agent-a", 5, 2), [seen("agent-b", "b")], EMPTY)
    assert states(rows) == {"agent": ("kept", 5, 2, None)}


def test_on_the_empty_source_it_is_removing_until_nothing_is_owned() -> None:
    leaving = seen("agent-a", "a", version=EMPTY[0], path=EMPTY[1], owned=3)
    assert states(holdings("a", found("agent-a", 3, 1), [leaving], EMPTY)) == {"agent": ("removing", 3, 1, 3)}
    gone = seen("agent-a", "a", version=EMPTY[0], path=EMPTY[1])
    assert states(holdings("a", [], [gone], EMPTY)) == {"agent": ("removing", 0, 0, 0)}


def test_another_folder_at_the_commit_of_the_empty_one_is_delivered() -> None:
    rows = holdings("a", [], [seen("agent-a", "a", version=EMPTY[0], path="agent")], EMPTY)
    assert states(rows)["agent"][0] == "delivered"


def test_argo_cd_itself_belongs_to_the_hub_alone() -> None:
    itself = Seen("argocd", "", "argocd", "10.3.3", "Synced", "Healthy", owned=60)
    assert states(holdings("hub", found("argocd", 3, 1), [itself], EMPTY, is_hub=True)) == {
        "argocd": ("delivered", 3, 1, 60)
    }
    assert holdings("a", [], [itself], EMPTY) == []


def test_what_an_application_owns_is_read_of_it() -> None:
    item: dict[str, Any] = {
        "metadata": {"name": "agent-a"},
        "spec": {"source": {"targetRevision": EMPTY[0], "path": "empty"}},
        "status": {"resources": [{"kind": "ConfigMap"}, {"kind": "Deployment"}]},
    }
    one = _seen(item)
    assert (one.path, one.owned) == ("empty", 2)
    assert not {"path", "owned"} & set(one.as_data())
