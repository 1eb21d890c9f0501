"""The wait for a new cluster: ends at the first good answer, and says what the last one was where there is none.

That the engine runs it before a Provider is created is seen in the sandbox; a preview runs no hook.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components import readiness
from components.private_cluster import membership_mismatch

SERVER = "https://connectgateway.googleapis.com/v1/projects/1/locations/global/gkeMemberships/tokyo"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_PAUSE_SECONDS", 0.001)


def answers(*given: int | Exception) -> Callable[[str], int]:
    """Asks that give these answers one after the other, the last one for ever."""
    left = list(given)

    def ask(address: str) -> int:
        assert address == f"{SERVER}/version"
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_waits_through_refusals_until_the_first_good_answer() -> None:
    ask = answers(OSError("connection refused"), 403, 404, 200)
    readiness.wait_until_ready(SERVER, 5, ask)


def test_says_what_the_last_answer_was() -> None:
    with pytest.raises(TimeoutError, match=r"last answer was: HTTP 403\. Remedy: see that the account"):
        readiness.wait_until_ready(SERVER, 0.01, answers(403))


def test_missing_plugin_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TimeoutError, match=r"gke-gcloud-auth-plugin is not on PATH; install it: https://"):
        readiness.wait_until_ready(SERVER, 0.01)


def test_no_wait_where_the_time_is_zero() -> None:
    assert readiness.wait_before_create("tokyo", SERVER, 0) is None


class Reported:
    """The output `fleet` of a cluster."""

    def __init__(self, membership_id: str | None, membership_location: str | None) -> None:
        self.membership_id = membership_id
        self.membership_location = membership_location


@pytest.mark.parametrize("reported", [Reported("tokyo", "asia-northeast1"), Reported(None, None), None])
def test_membership_as_expected(reported: object) -> None:
    assert membership_mismatch("tokyo", "asia-northeast1", reported) is None


@pytest.mark.parametrize("reported", [Reported("tokyo-1", "asia-northeast1"), Reported("tokyo", "global")])
def test_membership_under_another_name_is_told(reported: Reported) -> None:
    told = membership_mismatch("tokyo", "asia-northeast1", reported)
    assert told is not None and str(reported.membership_id) in told and "Remedy" in told
