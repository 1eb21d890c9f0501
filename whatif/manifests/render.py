"""Rendering what one Application delivers, as Argo CD does it.

Owns the commands of helm and kustomize, and finding out whether a chart comes out differently each time. Does not
own getting the sources, nor comparing.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import yaml

from whatif.manifests.delivered import Delivered, Form, Unrendered
from whatif.manifests.objects import Rendered, split
from whatif.manifests.reach import Sources

_RANDOM = re.compile(
    rb"\b(gen(CA|PrivateKey|SelfSigned|Signed)\w*|rand(Alpha|AlphaNum|Ascii|Bytes|Int|Numeric)|uuidv4|shuffle|now"
    rb"|bcrypt|htpasswd|encryptAES)\b"
)
"""Functions of Helm's templates that give something else each time."""

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MANIFESTS = (".yaml", ".yml", ".json")


def render(wanted: Delivered, sources: Sources, got: Path, folder: Path) -> Rendered:
    """The documents of `wanted`, whose source lies at `got`. `folder`: an empty one of its own to work in.

    Raises Unrendered.
    """
    if wanted.form is Form.CHART:
        return _chart(wanted, sources, got, folder)
    if wanted.form is Form.KUSTOMIZE:
        return Rendered(_kustomized(wanted, sources, got, folder))
    return Rendered(_directory(wanted, got))


def _chart(wanted: Delivered, sources: Sources, archive: Path, folder: Path) -> Rendered:
    if sources.reach.helm is None:
        raise Unrendered(
            "helm is not at hand", "run `./fleet up` once, which gets the tools, or put it on PATH"
        )
    values = folder / "values.json"
    values.write_text(wanted.values)
    command: list[str | Path] = [sources.reach.helm, "template", wanted.release, archive]
    command += ["--namespace", wanted.namespace, "--values", values]
    command += ["--skip-crds"] if wanted.skip_crds else ["--include-crds"]
    command += ["--kube-version", wanted.kubernetes] if wanted.kubernetes else []

    def once() -> tuple[str, ...]:
        return split(sources.run(command).decode(errors="replace"))

    return Rendered(once(), once() if _may_be_random(archive, wanted.values) else None)


def _may_be_random(archive: Path, values: str) -> bool:
    """Whether the templates, or values that become some, use a function that gives something else each time."""
    if "{{" in values and _RANDOM.search(values.encode()):
        return True
    with tarfile.open(archive) as tar:
        for entry in tar:
            if entry.isfile() and "/templates/" in entry.name and not entry.name.endswith(".md"):
                file = tar.extractfile(entry)
                actions = re.findall(rb"\{\{.*?\}\}", file.read() if file else b"", re.DOTALL)
                if any(_RANDOM.search(action) for action in actions):
                    return True
    return False


def _kustomized(wanted: Delivered, sources: Sources, tree: Path, folder: Path) -> tuple[str, ...]:
    if sources.reach.kustomize is None:
        raise Unrendered(
            "kustomize is not at hand", "run `./fleet up` once, which gets the tools, or put it on PATH"
        )
    copy = folder / "tree"
    shutil.copytree(tree, copy, symlinks=True)
    place = _inside(copy, wanted)
    file = next((place / name for name in _KUSTOMIZATIONS if (place / name).is_file()), None)
    if file is None:
        raise Unrendered(f"{wanted.path} of {wanted.source} has no kustomization.yaml", "look at `kustomize`")
    given = json.loads(wanted.values)
    if given:
        # As `kustomize edit set` does it, which Argo CD calls.
        said = yaml.safe_load(file.read_text()) or {}
        file.write_text(yaml.safe_dump(edited(said, given)))
    return split(sources.run([sources.reach.kustomize, "build", place]).decode(errors="replace"))


def edited(kustomization: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A kustomization with what an Application says under `kustomize`. Raises Unrendered for what is not known."""
    made = dict(kustomization)
    for key, value in given.items():
        if key in ("namePrefix", "nameSuffix", "namespace"):
            made[key] = value
        elif key in ("commonLabels", "commonAnnotations"):
            made[key] = {**made.get(key, {}), **value}
        elif key in ("components", "patches"):
            made[key] = [*made.get(key, []), *value]
        elif key == "images":
            images = [_image(one) for one in value]
            names = {one["name"] for one in images}
            made[key] = [one for one in made.get(key, []) if one.get("name") not in names] + images
        elif key == "replicas":
            replicas = [{**one, "count": int(one["count"])} for one in value]
            names = {one["name"] for one in replicas}
            made[key] = [one for one in made.get(key, []) if one.get("name") not in names] + replicas
        else:
            raise Unrendered(f"`{key}` under `kustomize` is not known here", "render it by hand")
    return made


def _image(text: str) -> dict[str, str]:
    """NAME=NEW:TAG, NAME:TAG, or either with @DIGEST."""
    name, given, rest = text.partition("=")
    rest = rest if given else name
    found: dict[str, str] = {}
    rest, at, digest = rest.partition("@")
    image, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        image, tag = rest, ""
    found["name"] = name if given else image
    if given:
        found["newName"] = image
    if at:
        found["digest"] = digest
    elif tag:
        found["newTag"] = tag
    return found


def _directory(wanted: Delivered, tree: Path) -> tuple[str, ...]:
    place = _inside(tree, wanted)
    files = sorted(one for one in place.rglob("*") if one.suffix in _MANIFESTS and one.is_file())
    return tuple(document for file in files if not file.is_symlink() for document in split(file.read_text()))


def _inside(tree: Path, wanted: Delivered) -> Path:
    place = (tree / wanted.path).resolve()
    if not place.is_relative_to(tree.resolve()) or not place.is_dir():
        raise Unrendered(
            f"there is no folder {wanted.path} in {wanted.source}", "look at the path and the commit"
        )
    return place
