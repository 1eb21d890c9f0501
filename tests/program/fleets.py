"""Fleets that no stack is, for tests of the program: one with everything, and edits of it.

Owns the edits. Each is there because two things exclude each other in one fleet, as two identities do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.program.graph import Graph, new_stack, preview

EVERYTHING = Path(__file__).with_name("everything.fleet.yaml")

Document = dict[str, Any]


def everything() -> Document:
    """The fleet with every key, as the parsed file."""
    document: Document = yaml.safe_load(EVERYTHING.read_text(encoding="utf-8"))
    return document


def principal() -> Document:
    """Argo CD calls as the ServiceAccounts themselves, which the gateway alone takes."""
    document = everything()
    document["argocd"]["identity"] = "principal"
    document["clusters"] = [entry for entry in document["clusters"] if "endpoint" not in entry]
    return document


def one_account() -> Document:
    """Argo CD calls with one account, people open no terminals, nobody is logged, nothing is protected."""
    document = everything()
    del document["argocd"]["exec"], document["audit"], document["access"]
    document["protect"] = False
    return document


def registered_hub() -> Document:
    """The hub is a member of the fleet already."""
    return _with_hub("registered")


def register_hub() -> Document:
    """The hub exists and is registered."""
    return _with_hub("register")


def no_gateway() -> Document:
    """No member is reached through the gateway by Argo CD."""
    document = everything()
    document["clusters"] = [
        entry for entry in document["clusters"] if "endpoint" in entry or entry.get("role") == "hub"
    ]
    return document


def _with_hub(join: str) -> Document:
    document = everything()
    kept = ("name", "role", "project", "location", "kubernetes", "ring")
    hub = {key: value for key, value in document["clusters"][0].items() if key in kept}
    others = [entry for entry in document["clusters"][1:] if entry["name"] != "create-private"]
    document["clusters"] = [{**hub, "join": join}, *others]
    return document


FLEETS: Mapping[str, tuple[Callable[[], Document], str]] = {
    "everything": (everything, "all"),
    "everything-hub": (everything, "hub"),
    "everything-one": (everything, "members/one"),
    "everything-two": (everything, "members/two"),
    "principal": (principal, "all"),
    "one-account": (one_account, "all"),
    "registered-hub": (registered_hub, "all"),
    "register-hub": (register_hub, "hub"),
    "no-gateway": (no_gateway, "all"),
}
"""Stack -> its fleet and the part of it. Stacks of one fleet in parts name the same fleet file."""


def write(stacks: Path, stack: str) -> None:
    """Write the files of one of FLEETS into a folder `stacks`."""
    make, part = FLEETS[stack]
    fleet = make.__name__.replace("_", "-")
    (stacks / f"{fleet}.fleet.yaml").write_text(yaml.safe_dump(make(), sort_keys=False), encoding="utf-8")
    settings = {
        "pulumi:disable-default-providers": ["kubernetes"],
        "gke-fleet:fleet": fleet,
        "gke-fleet:part": part,
        "gke-fleet:gitToken": "placeholder",
    }
    (stacks / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": settings}), encoding="utf-8")


def previewed(folder: Path, environment: Mapping[str, str], stack: str) -> Graph:
    """The graph of one of FLEETS, whose program is in `folder`."""
    write(folder / "stacks", stack)
    new_stack(folder, environment, stack)
    return preview(folder, environment, stack)
