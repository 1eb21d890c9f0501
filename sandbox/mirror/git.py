"""The Git repositories of the mirror, with the same commits on every machine.

Owns their content and making them bare. Does not own serving them. Author, committer and dates are fixed, so
that commit ids are constants that a catalogue can pin.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PLATFORM = "github.com/acme/platform.git"

_README_OF_EMPTY = (
    "# platform\n\n"
    "`empty/` is what a cluster that leaves the fleet is pointed at when its workloads are to be removed:\n"
    "nothing is wanted there, so everything that was delivered is pruned.\n"
)

_README_OF_ADDONS = """
Add-ons of the platform's own, which a catalogue pins by commit:

- `addons/baseline/` (kustomize): priorities for the fleet's own workloads, and the namespace `fleet-baseline` with
  its quota and the settings that other teams read.
- `addons/network-defaults/` (plain directory): what a namespace starts with, closed to other namespaces. The
  files name no namespace; they belong where they are delivered to.
"""

_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: fleet-baseline
resources:
  - priority-classes.yaml
  - quota.yaml
  - settings.yaml
"""

_PRIORITY_CLASSES = """\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: fleet-critical
value: 1000000
description: What every other workload of a cluster needs.
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: fleet-batch
value: -100
preemptionPolicy: Never
description: What can wait.
"""

_QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata:
  name: baseline
spec:
  hard:
    pods: "{pods}"
"""

_SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: fleet-settings
data:
  logFormat: json
"""

_DENY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: same-namespace-only
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {}
"""

_NETWORK_SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: network-defaults
data:
  clusterDomain: cluster.local
"""


@dataclass(frozen=True)
class Commit:
    """`files`: path -> text, those that differ from the commit before; `day` of January 2026."""

    message: str
    day: int
    files: Mapping[str, str]


COMMITS = (
    Commit(
        "An empty folder for clusters that leave",
        1,
        {"README.md": _README_OF_EMPTY, "empty/.gitkeep": ""},
    ),
    Commit(
        "Two add-ons of the platform's own",
        2,
        {
            "README.md": _README_OF_EMPTY + _README_OF_ADDONS,
            "addons/baseline/kustomization.yaml": _KUSTOMIZATION,
            "addons/baseline/priority-classes.yaml": _PRIORITY_CLASSES,
            "addons/baseline/quota.yaml": _QUOTA.format(pods=20),
            "addons/baseline/settings.yaml": _SETTINGS,
            "addons/network-defaults/network-policy.yaml": _DENY,
            "addons/network-defaults/settings.yaml": _NETWORK_SETTINGS,
        },
    ),
    Commit(
        "Baseline: twice the pods, and a log level",
        3,
        {
            "addons/baseline/quota.yaml": _QUOTA.format(pods=40),
            "addons/baseline/settings.yaml": f"{_SETTINGS}  logLevel: info\n",
        },
    ),
)

_BRANCH = "refs/heads/main"
_WHO = "Acme Platform <platform@acme.example>"
_NEW_YEAR = 1767225600
_DAY = 86400


def environment() -> dict[str, str]:
    """For every git process of the mirror: nothing of the user's or the machine's Git settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def write_platform(root: Path) -> list[str]:
    """Make the bare repository below `root` and give the ids of its commits, oldest first, on branch main."""
    folder = root / PLATFORM
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha1", ".")
    # GitHub serves any commit by its id, not only the tips of branches.
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    _git(folder, "fast-import", "--quiet", stdin="".join(_stream(commit) for commit in COMMITS))
    return _git(folder, "rev-list", "--reverse", _BRANCH).split()


def _stream(commit: Commit) -> str:
    """`commit` for `git fast-import`; the first one starts the branch, the others go on top of it."""
    when = f"{_WHO} {_NEW_YEAR + (commit.day - 1) * _DAY} +0000"
    files = "".join(f"M 100644 inline {path}\n{_data(text)}" for path, text in commit.files.items())
    return f"commit {_BRANCH}\nauthor {when}\ncommitter {when}\n{_data(commit.message + chr(10))}{files}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment(),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"git {' '.join(arguments)} in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()
