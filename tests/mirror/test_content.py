"""What the mirror serves is the same bytes everywhere and is what the upstream builds would make."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
import yaml

from sandbox.mirror import git, upstream
from sandbox.mirror.archive import Chart, tar_gz, write_repository
from sandbox.mirror.external_secrets import crd_template

ROOT = Path(__file__).resolve().parents[2]

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.19.0
  name: stores.external-secrets.io
spec:
  names:
    kind: {kind}
    singular: {singular}
  versions:
    - additionalPrinterColumns: []
      name: v1
      served: true
    - additionalPrinterColumns: []
      name: v1beta1
      served: false
"""


def test_the_catalogue_pins_the_commit_of_the_empty_folder(tmp_path: Path) -> None:
    source = yaml.safe_load((ROOT / "stacks" / "catalog.yaml").read_text())["emptySource"]
    assert source["revision"] in git.write_platform(tmp_path)
    assert source["repository"] == f"https://{git.PLATFORM}"
    assert f"{source['path']}/.gitkeep" in git.COMMITS[0].files


def test_commits_do_not_depend_on_who_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git.write_platform(tmp_path / "a")
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "someone else")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert git.write_platform(tmp_path / "b") == first


def test_an_archive_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    chart = Chart(
        {"values.yaml": b"a: 1\n", "Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 1.0.0\n"},
    )
    assert chart.archive() == chart.archive()
    write_repository(tmp_path / "a", [chart])
    write_repository(tmp_path / "b", [chart])
    index = (tmp_path / "a" / "index.yaml").read_text()
    assert index == (tmp_path / "b" / "index.yaml").read_text()
    (entry,) = yaml.safe_load(index)["entries"]["shop"]
    assert entry["urls"] == ["shop-1.0.0.tgz"]
    assert (tmp_path / "a" / "shop-1.0.0.tgz").exists()


@pytest.mark.parametrize("size", [0, 1, 0xFFFF - 1536, 0xFFFF, 0xFFFF + 1, 3 * 0xFFFF])
def test_an_archive_is_a_whole_tar_gz_that_no_library_made_smaller(size: int) -> None:
    content = bytes(index % 251 for index in range(size))
    packed = tar_gz({"a": content, f"{'long/' * 40}b": b"more"})
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        found = {one.name: tar.extractfile(one) for one in tar}
        assert {name: file.read() for name, file in found.items() if file} == {
            "a": content,
            f"{'long/' * 40}b": b"more",
        }
    assert len(packed) > len(gzip.decompress(packed)) > size


@pytest.mark.parametrize(
    ("kind", "switch"),
    [
        ("SecretStore", "{{- if .Values.installCRDs }}"),
        ("ClusterSecretStore", "{{- if and (.Values.installCRDs) (.Values.crds.createClusterSecretStore) }}"),
        ("PushSecret", "{{- if and (.Values.installCRDs) (.Values.crds.createPushSecret) }}"),
        ("Password", "{{- if .Values.installCRDs }}"),
    ],
)
def test_a_crd_is_switched_by_the_value_that_upstream_uses(kind: str, switch: str) -> None:
    made = crd_template(CRD.format(kind=kind, singular=kind.lower()), v1beta1_switch=True)
    assert made.startswith(f"{switch}\n")
    assert made.endswith("{{- end }}\n")
    assert ".Values.crds.annotations" in made


def test_serving_v1beta1_is_a_value_where_the_chart_has_it() -> None:
    crd = CRD.format(kind="SecretStore", singular="secretstore")
    assert "served: {{ .Values.crds.unsafeServeV1Beta1 }}" in crd_template(crd, v1beta1_switch=True)
    assert "served: false" in crd_template(crd, v1beta1_switch=False)


def test_a_crd_that_would_need_more_than_this_is_refused() -> None:
    crd = CRD.format(kind="SecretStore", singular="secretstore")
    with pytest.raises(ValueError, match="template action"):
        crd_template(crd + "# {{ x }}\n", v1beta1_switch=True)
    with pytest.raises(ValueError, match="v1alpha1"):
        crd_template(crd.replace("name: v1beta1", "name: v1alpha1"), v1beta1_switch=True)


def test_a_dependency_whose_chart_is_not_there_is_left_out() -> None:
    meta = {"name": "a", "version": "1.0.0", "dependencies": [{"name": "b"}, {"name": "c"}]}
    files = {"Chart.yaml": yaml.safe_dump(meta).encode(), "charts/c/Chart.yaml": b""}
    assert yaml.safe_load(upstream.without_missing_dependencies(files))["dependencies"] == [{"name": "c"}]


def test_a_source_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("name: a\nversion: 1.0.1\n")
    with pytest.raises(ValueError, match=r"holds version 1\.0\.1 of the chart, not 1\.0\.0"):
        upstream.chart(tmp_path, "1.0.0")
