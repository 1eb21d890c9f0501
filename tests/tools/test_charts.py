"""Charts out of Go modules: each is pinned by one module of its own, and only the chart is kept.

What this does not prove: that the module proxy still has them; getting them for the mirror's tests does.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.tools import ToolError, cache, charts, modules, toolchain
from sandbox.tools.group import pinned
from sandbox.tools.modules import CHART_MODULES, chart_name, chart_sources
from sandbox.tools.toolchain import Go

SOURCES = chart_sources()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_chart_is_pinned_by_its_module_alone(source: Path) -> None:
    name, _ = chart_name(source)
    module = CHART_MODULES[name].module
    version = pinned(source / "go.mod", module)
    lines = [line.split() for line in (source / "go.sum").read_text().splitlines()]
    assert [line[:2] for line in lines] == [[module, version], [module, f"{version}/go.mod"]]
    assert all(line[2].startswith("h1:") for line in lines)


def test_every_chart_has_two_versions_to_move_between() -> None:
    names = [chart_name(source)[0] for source in SOURCES]
    assert {name for name in names if names.count(name) >= 2} == CHART_MODULES.keys()


@pytest.mark.sandbox
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_what_is_kept_is_the_chart(source: Path) -> None:
    folder = charts() / source.name
    name, version = chart_name(source)
    assert {path.name for path in folder.iterdir()} == set(CHART_MODULES[name].parts.values())
    meta = folder / "chart" / "Chart.yaml"
    if name == "cert-manager":
        # Its build makes it.
        assert not meta.exists()
        assert version == pinned(source / "go.mod", CHART_MODULES[name].module)
    else:
        assert yaml.safe_load(meta.read_text())["version"] == version


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own, one pinned chart, and a `go` that fetches what is not its go.sum's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "charts" / "kyverno-3.5.2"
    shutil.copytree(modules.CHARTS / source.name, source)
    monkeypatch.setattr(modules, "CHARTS", source.parent)
    go = tmp_path / "go" / "bin" / "go"
    go.parent.mkdir(parents=True)
    monkeypatch.setattr(toolchain, "go", lambda say: Go(tmp_path / "go"))
    yield go


def write_go(program: Path, answer: dict[str, Any]) -> None:
    """A `go` that puts a module into the module cache that it is given, and answers."""
    program.write_text(
        '#!/bin/sh\nmkdir -p "$GOMODCACHE/m/charts/kyverno/templates" "$GOMODCACHE/m/cmd"\n'
        'echo "name: kyverno" > "$GOMODCACHE/m/charts/kyverno/Chart.yaml"\n'
        'chmod -R a-w "$GOMODCACHE/m"\n'
        f"""echo '{json.dumps(answer)}' | sed "s|CACHE|$GOMODCACHE|"\n"""
    )
    program.chmod(0o755)


ANSWER = {"Version": "v1.15.2", "Dir": "CACHE/m", "Sum": "h1:1eDivq33TEgHwZkPl/4Id+9p+x6/3ieg1WzBGjmHWk0="}


def test_nothing_of_a_module_stays_but_its_chart(pretended: Path) -> None:
    write_go(pretended, ANSWER)
    said: list[str] = []
    folder = charts(said.append)
    assert said == ["getting the chart kyverno-3.5.2 (github.com/kyverno/kyverno v1.15.2)"]
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert kept == {"kyverno-3.5.2/chart/Chart.yaml"}
    assert [path.name for path in cache.tools().iterdir() if path.is_dir()] == [folder.name]
    assert charts(said.append) == folder and len(said) == 1


def test_another_pin_is_another_folder(pretended: Path) -> None:
    write_go(pretended, ANSWER)
    first = charts()
    with (modules.CHARTS / "kyverno-3.5.2" / "go.mod").open("a") as go_mod:
        go_mod.write("// another\n")
    assert charts() != first


def test_a_module_that_go_sum_does_not_hold_is_refused(pretended: Path) -> None:
    write_go(pretended, {**ANSWER, "Sum": "h1:another"})
    with pytest.raises(ToolError, match=r"go\.sum does not hold .*h1:another"):
        charts()
    assert not [path for path in cache.tools().iterdir() if path.is_dir()]
