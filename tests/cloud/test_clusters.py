"""Real clusters without a cloud: made side by side, killed, started, removed without a trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import clusters
from tests.cloud.client import alive


@pytest.mark.sandbox
def test_two_checkouts_with_clusters_of_one_name(tmp_path: Path) -> None:
    states = [tmp_path / "a", tmp_path / "b"]
    try:
        with ThreadPoolExecutor() as pool:
            kubeconfigs = list(pool.map(lambda state: clusters.create(state, "hub"), states))
        assert all(path.is_file() for path in kubeconfigs)
        assert clusters.server(states[0], "hub") != clusters.server(states[1], "hub")
        pids = [pid for state in states for pid in clusters.processes(state, "hub")]
        assert len(pids) == 10
        clusters.kill(states[0], "hub")
        assert [clusters.running(state) for state in states] == [[], ["hub"]]
        clusters.start(states[0], "hub")
        assert clusters.running(states[0]) == ["hub"]
        pids += clusters.processes(states[0], "hub")
    finally:
        for state in states:
            clusters.delete_all(state)
    assert [pid for pid in pids if alive(pid)] == []
    assert [path for state in states for path in state.iterdir()] == []


def test_nothing_to_end(tmp_path: Path) -> None:
    clusters.delete_all(tmp_path)
    clusters.delete(tmp_path, "hub")
    assert clusters.names(tmp_path) == clusters.running(tmp_path) == []


def test_a_cluster_that_was_never_made(tmp_path: Path) -> None:
    with pytest.raises(clusters.ClusterFailure, match="hub"):
        clusters.start(tmp_path, "hub")
    with pytest.raises(clusters.ClusterFailure, match="hub"):
        clusters.server(tmp_path, "hub")
