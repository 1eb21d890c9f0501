"""Official charts that need no or little of their upstream build, made from the sources in a Go module.

Owns what `helm package` leaves out, and cert-manager's step: its Chart.yaml and README name no version before its
build (`make/manifests.mk`) puts it there. Does not own fetching the sources. Left out are dependencies whose
chart is in no Go module; they are off by default.
"""

from pathlib import Path

import yaml

from sandbox.mirror.archive import Chart

_NOT_PACKED = (
    "ci/",
    "schema/",
    "tests/",
    ".gitignore",
    ".helmignore",
    ".schema.yaml",
    "Chart.lock",
    "README.md.gotmpl",
)
"""What the charts' own .helmignore files say, and what only their repositories need."""


def chart(source: Path, version: str) -> Chart:
    """The chart of `source` (a folder with upstream's `chart/`) at `version`.

    Raises ValueError where the source is of another version.
    """
    files = packed(source / "chart")
    if "Chart.template.yaml" in files:
        files = _cert_manager(files, source, version)
    files["Chart.yaml"] = without_missing_dependencies(files)
    made = Chart(files)
    if made.meta["version"] != version:
        raise ValueError(f"{source.name} holds version {made.meta['version']} of the chart, not {version}")
    return made


def packed(root: Path) -> dict[str, bytes]:
    """The files of a chart's folder that go into its archive, by path."""
    paths = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(_NOT_PACKED)}


def without_missing_dependencies(files: dict[str, bytes]) -> bytes:
    """Chart.yaml with those dependencies only whose charts are in `files`."""
    meta = yaml.safe_load(files["Chart.yaml"])
    there = {name.split("/")[1] for name in files if name.startswith("charts/")}
    kept = [one for one in meta.pop("dependencies", []) if one["name"] in there]
    if kept:
        meta["dependencies"] = kept
    return yaml.safe_dump(meta, sort_keys=False).encode()


def _cert_manager(files: dict[str, bytes], source: Path, version: str) -> dict[str, bytes]:
    """What cert-manager's `make helm-chart` makes for a release of `version`."""
    meta = yaml.safe_load(files.pop("Chart.template.yaml"))
    meta["annotations"]["artifacthub.io/prerelease"] = "false"
    meta["annotations"]["artifacthub.io/signKey"] = files.pop("signkey_annotation.txt").decode()
    meta |= {"version": version, "appVersion": version}
    readme = files.pop("README.template.md").replace(b"{{RELEASE_VERSION}}", version.encode())
    files.pop("values.linter.exceptions", None)
    if not any(name.startswith("templates/crd-") for name in files):
        # Before 1.19 the build put the CRDs together; they hold their template actions already.
        crds = [path.read_bytes() for path in sorted((source / "crds").glob("*.yaml"))]
        files["templates/crds.yaml"] = b"\n---\n".join(crds)
    return files | {"Chart.yaml": yaml.safe_dump(meta, sort_keys=False).encode(), "README.md": readme}
