"""What the gateway lets through per fleet host project, and what it counted.

Documented limits: 2,400 requests a minute and 10 active streams per fleet host project
(https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway). The window slides.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_WINDOW = 60.0


@dataclass
class _Counts:
    verbs: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)

    def begun(self, verb: str, account: str) -> None:
        self.verbs[verb] += 1
        self.accounts[account] += 1

    def describe(self) -> dict[str, dict[str, int]]:
        return {
            "verbs": dict(self.verbs),
            "statuses": dict(self.statuses),
            "accounts": dict(self.accounts),
        }


class Budget:
    """Requests of the last minute and open streams, by fleet host project (id); counters by membership (id),
    and for endpoints of clusters, which have no budget, by `dns CLUSTER_ID` or `private CLUSTER_ID`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._requests: defaultdict[str, deque[float]] = defaultdict(deque)
        self._streams: Counter[str] = Counter()
        self._memberships: defaultdict[str, _Counts] = defaultdict(_Counts)
        self._endpoints: defaultdict[str, _Counts] = defaultdict(_Counts)

    def spend(self, project: str, limit: int) -> bool:
        """Take one request; False if the minute's are used up (a refused request takes none)."""
        requests = self._requests[project]
        now = self._now()
        while requests and requests[0] <= now - _WINDOW:
            requests.popleft()
        if len(requests) >= limit:
            return False
        requests.append(now)
        return True

    def open_stream(self, project: str, limit: int) -> bool:
        """Take one stream; False if all are in use."""
        if self._streams[project] >= limit:
            return False
        self._streams[project] += 1
        return True

    def close_stream(self, project: str) -> None:
        """Give a stream back."""
        self._streams[project] -= 1

    def begun(self, membership: str, verb: str, account: str) -> None:
        """Count a request of a known caller when it comes: a watch may last for an hour."""
        self._memberships[membership].begun(verb, account)

    def ended(self, membership: str, how: str) -> None:
        """Count how a request ended: its HTTP status, `dropped` or `client gone`."""
        self._memberships[membership].statuses[how] += 1

    def begun_direct(self, endpoint: str, verb: str, account: str) -> None:
        """The same for a request to an endpoint of a cluster."""
        self._endpoints[endpoint].begun(verb, account)

    def ended_direct(self, endpoint: str, how: str) -> None:
        """The same for a request to an endpoint of a cluster."""
        self._endpoints[endpoint].statuses[how] += 1

    def describe(self) -> dict[str, Any]:
        """The counters as JSON: `{memberships: {id: {verbs, statuses, accounts}}, endpoints: {the same},
        projects: {id: {lastMinute, streams}}}`."""
        now = self._now()
        return {
            "memberships": {name: counts.describe() for name, counts in self._memberships.items()},
            "endpoints": {name: counts.describe() for name, counts in self._endpoints.items()},
            "projects": {
                project: {
                    "lastMinute": sum(moment > now - _WINDOW for moment in requests),
                    "streams": self._streams[project],
                }
                for project, requests in self._requests.items()
            },
        }
