"""A new cluster that Google registered under another name: nothing gets as far as its Provider.

That an existing cluster is held back in the same way, by the real engine, is in `test_change`.
"""

from __future__ import annotations

import pulumi
import pytest

from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from tests.program.mocked import CLUSTER, Cloud, fleet_of_two, membership

PROVIDER = "pulumi:providers:kubernetes"


def join() -> None:
    """Create one cluster on its own."""
    fleet = fleet_of_two()
    (tokyo,) = fleet.members
    JoinedCluster("tokyo", JoinedClusterArgs(fleet=fleet, cluster=tokyo, before=[], readiness_timeout=0))


def test_provider_follows_the_expected_membership() -> None:
    cloud = Cloud(membership("tokyo"))
    cloud.run(join)
    assert {CLUSTER, PROVIDER} <= cloud.types()


def test_another_membership_holds_the_provider_back_and_names_both() -> None:
    cloud = Cloud(membership("tokyo-1"))
    with pytest.raises(
        pulumi.RunError, match=r"as membership tokyo-1 in .* built for tokyo in asia-northeast1"
    ):
        cloud.run(join)
    assert CLUSTER in cloud.types() and PROVIDER not in cloud.types()
