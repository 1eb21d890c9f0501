"""A cluster that cannot be reached: what the two switches of a kubernetes.Provider mean, as the official
provider has them.

Against the provider alone, with a cluster that is said to be dead; no engine, no server.
"""

from __future__ import annotations

from typing import Any

import pytest

from plugins.ground import Access, GroundError
from plugins.kubernetes.provider import KubernetesProvider
from plugins.provider import Engine, ProviderError
from tests.plugins.conftest import kubeconfig

URN = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::m"
TYPE = "kubernetes:core/v1:ConfigMap"
OBJECT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "m", "namespace": "n"},
    "data": {"a": "b"},
}


class Dead:
    """A ground whose clusters are all dead. Any call to one is an error."""

    def gcp(self) -> Any:
        raise AssertionError

    def cluster(self, access: Access) -> Any:
        class Cluster:
            unreachable = "connection refused"

            def namespaced(self, api_version: str, kind: str) -> bool | None:
                return True

        return Cluster()


class Heard(Engine):
    """An engine that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def log(self, severity: str, message: str, urn: str = "", *, passing: bool = False) -> None:
        self.lines.append(f"{severity}: {message}")


def provider(**config: str) -> tuple[KubernetesProvider, Heard]:
    """A provider configured with `config`."""
    heard = Heard()
    made = KubernetesProvider(heard, "4.0.0", Dead())
    made.configure({"kubeconfig": kubeconfig(), **config}, {})
    return made, heard


def test_by_default_everything_on_it_fails_and_previews_degrade() -> None:
    made, heard = provider()
    assert heard.lines == ["warning: configured Kubernetes cluster is unreachable: connection refused"]
    with pytest.raises(
        ProviderError, match="configured Kubernetes cluster is unreachable: connection refused"
    ):
        made.create(URN, TYPE, OBJECT, 0, False)
    with pytest.raises(ProviderError, match="configured Kubernetes cluster is unreachable"):
        made.update(URN, TYPE, "n/m", OBJECT, OBJECT, OBJECT, 0, False)
    with pytest.raises(ProviderError, match="failed to read resource state due to unreachable cluster"):
        made.read(URN, TYPE, "n/m", OBJECT, OBJECT, 0)
    with pytest.raises(ProviderError, match=r"If the cluster was deleted.*deleteUnreachable"):
        made.delete(URN, TYPE, "n/m", OBJECT, OBJECT, 0)
    _, outputs = made.create(URN, TYPE, OBJECT, 0, True)
    assert outputs["data"] == {"a": "b"}


def test_delete_unreachable_drops_from_the_state() -> None:
    made, heard = provider(deleteUnreachable="true")
    assert made.read(URN, TYPE, "n/m", OBJECT, OBJECT, 0) is None
    made.delete(URN, TYPE, "n/m", OBJECT, OBJECT, 0)
    assert sum("dropped n/m from the state" in line for line in heard.lines) == 2


def test_skip_update_unreachable_keeps_what_was() -> None:
    made, heard = provider(skipUpdateUnreachable="true")
    old = {**OBJECT, "data": {"a": "old"}}
    assert made.update(URN, TYPE, "n/m", old, old, OBJECT, 0, False) == old
    assert made.read(URN, TYPE, "n/m", old, old, 0) == ("n/m", old, old)
    with pytest.raises(ProviderError):
        made.delete(URN, TYPE, "n/m", OBJECT, OBJECT, 0)
    assert sum("skipUpdateUnreachable" in line for line in heard.lines) == 2


def test_without_a_kubeconfig_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The user's own kubeconfig is never taken."""
    from plugins.kubernetes.live import LiveCluster

    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(kubeconfig("https://127.0.0.1:1"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / ".kube" / "config"))
    cluster = LiveCluster(Access(kubeconfig=None, context=None, cluster=None, namespace="default"))
    assert cluster.unreachable is not None
    assert "never takes the user's own" in cluster.unreachable


def test_a_closed_port_is_unreachable() -> None:
    from plugins.kubernetes.live import LiveCluster

    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    cluster = LiveCluster(Access(kubeconfig=document, context=None, cluster=None, namespace="default"))
    assert cluster.unreachable is not None
    assert "127.0.0.1:1" in cluster.unreachable


def test_only_the_api_server_s_own_404_means_gone() -> None:
    from plugins.kubernetes.connection import NotFound, _answer

    status = '{"kind": "Status", "code": 404, "message": "configmaps \\"m\\" not found"}'
    with pytest.raises(NotFound, match="not found"):
        _answer(404, status, "GET /x")
    gateway = '{"error": {"code": 404, "message": "cannot connect to agent"}}'
    with pytest.raises(GroundError, match="cannot connect to agent") as refused:
        _answer(404, gateway, "GET /x")
    assert not isinstance(refused.value, NotFound)
