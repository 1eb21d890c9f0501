"""Groups of tools that are built together, and the versions that their go.mod files pin.

Owns the table of programs: name, Go package, which version on PATH will do. Does not own how they are built.
One `go build` per group shares the compile work of its programs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

GroupName = Literal["pulumi", "delivery", "registry", "workflows"]

HERE = Path(__file__).resolve().parent
GIB = 1024**3

Version = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of a group.

    Attributes:
        name: what people call it; the file in the folder that `ensure` returns.
        package: its Go main package, or a folder of the group's own module (`./miniredis`).
        module: the module whose pinned version decides which version on PATH fits; None: never taken from
        PATH. ask: arguments that make it print its version.
        links: further names of the same file (Argo CD decides by its name which component it is).
    """

    name: str
    package: str
    module: str | None = None
    ask: tuple[str, ...] = ("--version",)
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """Programs that are built together.

    Attributes:
        variables: Go package variables stamped with a version at link time. Without them kube-apiserver calls
            itself v0.0.0-master, which kubectl and every chart with a kubeVersion refuse.
        seconds: how long a build from nothing takes on two cores.
        disk: bytes that a build from nothing needs in the cache folder: module sources, compiled packages,
        result.
    """

    name: GroupName
    programs: tuple[Program, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: int
    disk: int

    @property
    def folder(self) -> Path:
        """Where the group's go.mod lies."""
        return HERE / self.name

    @property
    def ldflags(self) -> str:
        """Link flags: no symbol table, and the version stamps."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())])

    def pinned(self, module: str) -> str:
        """The version of `module` in the group's go.mod, as `v1.2.3`."""
        return pinned(self.folder / "go.mod", module)


def pinned(go_mod: Path, module: str) -> str:
    """The version that `go_mod` requires of `module`, as `v1.2.3`. Raises ValueError where it requires
    none."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{go_mod} does not require {module}")
    return found.group(1)


def parse(text: str) -> Version | None:
    """The first three-part version in `text`, as numbers."""
    found = re.search(r"(?<![\d.])v?(\d+)\.(\d+)\.(\d+)", text)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


_DELIVERY = HERE / "delivery" / "go.mod"
_KUBERNETES = pinned(_DELIVERY, "k8s.io/kubernetes")
_MAJOR, _MINOR, _ = _KUBERNETES.removeprefix("v").split(".")

ARGOCD_MODULE = "github.com/argoproj/argo-cd/v3"

ARGOCD_COMPONENTS = (
    "argocd-application-controller",
    "argocd-applicationset-controller",
    "argocd-cmp-server",
    "argocd-commit-server",
    "argocd-git-ask-pass",
    "argocd-k8s-auth",
    "argocd-notifications",
    "argocd-repo-server",
    "argocd-server",
)

GROUPS: Mapping[GroupName, Group] = {
    "pulumi": Group(
        name="pulumi",
        programs=(
            Program(
                name="pulumi",
                package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
                module="github.com/pulumi/pulumi/pkg/v3",
                ask=("version",),
            ),
        ),
        variables={
            "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": pinned(
                HERE / "pulumi" / "go.mod", "github.com/pulumi/pulumi/pkg/v3"
            ).removeprefix("v")
        },
        seconds=250,
        disk=4 * GIB,
    ),
    "delivery": Group(
        name="delivery",
        programs=(
            Program(
                name="argocd",
                package="github.com/argoproj/argo-cd/v3/cmd",
                module=ARGOCD_MODULE,
                ask=("version", "--client", "--short"),
                links=ARGOCD_COMPONENTS,
            ),
            Program(name="etcd", package="go.etcd.io/etcd/server/v3", module="go.etcd.io/etcd/server/v3"),
            Program(
                name="helm",
                package="helm.sh/helm/v4/cmd/helm",
                module="helm.sh/helm/v4",
                ask=("version", "--short"),
            ),
            *(
                Program(name=name, package=f"k8s.io/kubernetes/cmd/{name}", module="k8s.io/kubernetes")
                for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
            ),
            Program(
                name="kubectl",
                package="k8s.io/kubernetes/cmd/kubectl",
                module="k8s.io/kubernetes",
                ask=("version", "--client"),
            ),
            Program(
                name="kustomize",
                package="sigs.k8s.io/kustomize/kustomize/v5",
                module="sigs.k8s.io/kustomize/kustomize/v5",
                ask=("version",),
            ),
            Program(name="kwok", package="sigs.k8s.io/kwok/cmd/kwok", module="sigs.k8s.io/kwok"),
            Program(name="kwokctl", package="sigs.k8s.io/kwok/cmd/kwokctl", module="sigs.k8s.io/kwok"),
            Program(name="miniredis", package="./miniredis"),
        ),
        variables={
            "k8s.io/component-base/version.gitVersion": _KUBERNETES,
            "k8s.io/component-base/version.gitMajor": _MAJOR,
            "k8s.io/component-base/version.gitMinor": _MINOR,
            "k8s.io/client-go/pkg/version.gitVersion": _KUBERNETES,
            "github.com/argoproj/argo-cd/v3/common.version": pinned(_DELIVERY, ARGOCD_MODULE).removeprefix(
                "v"
            ),
            "helm.sh/helm/v4/internal/version.version": pinned(_DELIVERY, "helm.sh/helm/v4"),
        },
        seconds=660,
        disk=9 * GIB,
    ),
    "registry": Group(
        name="registry",
        programs=(
            Program(
                name="registry",
                package="github.com/distribution/distribution/v3/cmd/registry",
                module="github.com/distribution/distribution/v3",
            ),
            Program(
                name="crane",
                package="github.com/google/go-containerregistry/cmd/crane",
                module="github.com/google/go-containerregistry",
                ask=("version",),
            ),
        ),
        seconds=60,
        disk=3 * GIB // 2,
    ),
    "workflows": Group(
        name="workflows",
        programs=(
            Program(
                name="actionlint",
                package="github.com/rhysd/actionlint/cmd/actionlint",
                module="github.com/rhysd/actionlint",
                ask=("-version",),
            ),
        ),
        seconds=30,
        disk=GIB // 2,
    ),
}

PULUMI_AT_LEAST: Version = (3, 249, 0)
"""The oldest CLI that the program's `requiredPulumiVersion` accepts."""


def fits(group: Group, program: Program, version: Version) -> bool:
    """Whether `version` of `program`, found on PATH, may stand in for the pinned one.

    The Pulumi CLI: from `PULUMI_AT_LEAST` on, same major version. Everything else: the same minor version.
    """
    assert program.module is not None
    wanted = parse(group.pinned(program.module))
    assert wanted is not None
    if group.name == "pulumi":
        return version >= PULUMI_AT_LEAST and version[0] == wanted[0]
    return version[:2] == wanted[:2]


def wanted(group: Group, program: Program) -> str:
    """What `fits` accepts, in words."""
    assert program.module is not None
    pin = group.pinned(program.module)
    if group.name == "pulumi":
        return f">= {'.'.join(map(str, PULUMI_AT_LEAST))}, < 4"
    return pin.rpartition(".")[0] + ".x"
