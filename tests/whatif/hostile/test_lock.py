"""The lock of a stranger: what is refused of it, and that nothing of it runs while its environment is made.

Does not prove that pip and uv keep every wheel inside of the environment; that is theirs to do.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugins.language_python import settings
from tests.whatif.hostile.conftest import ROOT
from whatif.lock import WrongLock, check_lock, environment_for

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"""\
# made by uv
Some.Package[extra]==1.2.3 \\
    {HASH} \\
    {HASH}
other==2!1.0rc1+local ; sys_platform == 'win32' and python_full_version < '3.12' \\
    {HASH}

third==1 {HASH}  # why
"""
WRONG = [
    (f"-r other.txt {HASH}", "names another file"),
    (f"--requirement=other.txt {HASH}", "names another file"),
    ("-c constraints.txt", "names another file"),
    ("-e .", "installs from a folder"),
    ("--editable ../x", "installs from a folder"),
    ("--index-url https://evil.example/simple", "changes where packages come from"),
    ("-i https://evil.example/simple", "changes where packages come from"),
    ("--extra-index-url https://evil.example/simple", "changes where packages come from"),
    ("--find-links /tmp", "changes where packages come from"),
    ("--trusted-host evil.example", "changes where packages come from"),
    ("--no-binary :all:", "is an option"),
    ("--pre", "is an option"),
    (f"evil @ https://evil.example/evil.whl {HASH}", "from an address"),
    (f"https://evil.example/evil.whl {HASH}", "from an address"),
    (f"git+https://evil.example/evil.git {HASH}", "from an address"),
    ("./evil", "from a folder"),
    ("/tmp/evil.whl", "from a folder"),
    ("evil", "is not package==version"),
    (f"evil>=1 {HASH}", "is not package==version"),
    (f"evil==1.* {HASH}", "is not package==version"),
    ("evil==1", "has no --hash"),
    ("evil==1 --hash=md5:0123", "has the option '--hash=md5:0123'"),
    ("evil==1 --hash=sha256:00", "has the option"),
    (f"evil==1 {HASH} --index-url=https://evil.example", "has the option '--index-url"),
    (f"evil==1 --config-settings=a {HASH}", "has the option '--config-settings"),
    (f"evil==1 ; os_name == 'x' --index-url https://evil.example {HASH}", ""),
    (f"evil==1 ; https://evil.example {HASH}", ""),
    (f"evil==${{TOKEN}} {HASH}", "is not package==version"),
]


def test_the_own_lock_and_a_usual_one_are_right() -> None:
    assert check_lock((ROOT / "requirements.txt").read_text()) == []
    assert check_lock((ROOT / "requirements-dev.txt").read_text()) == []
    assert check_lock(GOOD) == []


@pytest.mark.parametrize(("line", "why"), WRONG)
def test_a_line_that_is_not_a_package_with_its_hashes_is_refused(line: str, why: str) -> None:
    (problem,) = check_lock(f"{GOOD}{line}\n")
    assert problem.startswith("requirements.txt:9: ")
    assert why in problem


def test_a_line_that_is_hidden_by_a_continuation_is_refused() -> None:
    (problem,) = check_lock(f"good==1 \\\n  {HASH} \\\n  --index-url=https://evil.example\n")
    assert problem.startswith("requirements.txt:1: ")
    assert "--index-url=https://evil.example" in problem
    # The last line of a file may end in a backslash, and a comment hides nothing but itself.
    assert len(check_lock("-r a.txt \\")) == 1
    assert len(check_lock("# harmless \\\n-r a.txt")) == 1


def test_all_mistakes_are_told_at_once() -> None:
    text = "".join(f"{line}\n" for line, _ in WRONG)
    assert [problem.split(":")[1] for problem in check_lock(text)] == [
        str(at + 1) for at in range(len(WRONG))
    ]


def test_a_lock_beyond_measure_is_refused(tmp_path: Path) -> None:
    assert "at most 500" in check_lock("".join(f"p{at}==1 {HASH}\n" for at in range(501)))[0]
    assert "larger" in check_lock("#" * 2_000_000)[0]
    (tmp_path / "lock").write_text("#" * 2_000_000)
    with pytest.raises(WrongLock, match="larger"):
        environment_for(tmp_path / "lock", cache=tmp_path, say=print)


def test_the_same_lock_needs_no_other_environment(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# another comment\n" + (ROOT / "requirements.txt").read_text())
    assert environment_for(lock, cache=tmp_path, say=print) == Path(sys.prefix)


@dataclass(frozen=True)
class Index:
    """Packages in a folder. `mark` appears where code of one of them has run."""

    folder: Path
    mark: Path
    cache: Path

    def lock(self, *requirements: str) -> Path:
        """A lock with the right hash of each file in the folder."""
        path = self.folder / "requirements.txt"
        hashes = " ".join(
            f"--hash=sha256:{hashlib.sha256(each.read_bytes()).hexdigest()}"
            for each in sorted(self.folder.glob("evil*"))
        )
        path.write_text("".join(f"{each} {hashes}\n" for each in requirements))
        return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A wheel whose code runs at every start of Python, and a source package whose code runs when it is built."""
    folder, mark, cache = tmp_path / "index", tmp_path / "it-ran", tmp_path / "cache"
    folder.mkdir()
    runs = f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n"
    files = {
        "evil.pth": runs,
        "evil/__init__.py": runs,
        "pulumi_evil/pulumi-plugin.json": '{"resource": true, "name": "evil", "version": "1.2.3"}',
        "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        "evil-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for name, text in files.items()
    )
    with zipfile.ZipFile(folder / "evil-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr("evil-1.0.dist-info/RECORD", record + "evil-1.0.dist-info/RECORD,,\n")
    with tarfile.open(folder / "evil-2.0.tar.gz", "w:gz") as archive:
        for name, text in (
            ("setup.py", runs),
            ("PKG-INFO", "Metadata-Version: 2.1\nName: evil\nVersion: 2.0\n"),
        ):
            entry = tarfile.TarInfo(f"evil-2.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    for name, value in (
        ("PIP_NO_INDEX", "1"),
        ("PIP_FIND_LINKS", str(folder)),
        ("UV_NO_INDEX", "1"),
        ("UV_OFFLINE", "1"),
        ("UV_FIND_LINKS", str(folder)),
        ("XDG_CACHE_HOME", str(cache)),
    ):
        monkeypatch.setenv(name, value)
    return Index(folder, mark, cache)


def test_a_hostile_wheel_runs_nothing_until_its_python_is_started(index: Index) -> None:
    said: list[str] = []
    prefix = environment_for(index.lock("evil==1.0"), cache=index.cache, say=said.append)
    assert len(said) == 1
    python = prefix / "bin/python"
    # What the language host asks of it, it reads.
    how = settings.read({settings.PYTHON: str(python)})
    assert how.plugins() == [("evil", "1.2.3")]
    assert ("evil", "1.0") in how.distributions()
    assert environment_for(index.lock("evil==1.0"), cache=index.cache, say=said.append) == prefix
    assert len(said) == 1
    assert not index.mark.exists()
    subprocess.run([str(python), "-c", ""], check=True)
    assert index.mark.exists(), "this wheel shows nothing: its code does not run at all"


def test_a_package_that_must_be_built_is_not_installed(index: Index) -> None:
    with pytest.raises(WrongLock, match="wheels alone"):
        environment_for(index.lock("evil==2.0"), cache=index.cache, say=print)
    assert not index.mark.exists()
    assert not list((index.cache / "environments").iterdir())


def test_a_wheel_with_another_hash_is_not_installed(index: Index) -> None:
    lock = index.folder / "requirements.txt"
    lock.write_text(f"evil==1.0 {HASH}\n")
    with pytest.raises(WrongLock, match="could not be installed"):
        environment_for(lock, cache=index.cache, say=print)


def test_two_processes_make_one_environment(index: Index) -> None:
    code = (
        "import sys; from pathlib import Path; from whatif.lock import environment_for\n"
        "print(environment_for(Path(sys.argv[1]), cache=Path(sys.argv[2]), say=lambda line: print(line)))"
    )
    command = [sys.executable, "-c", code, str(index.lock("evil==1.0")), str(index.cache)]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [each.communicate()[0].splitlines() for each in running]
    assert [each.returncode for each in running] == [0, 0]
    assert said[0][-1] == said[1][-1]
    assert sum(line.startswith("making the environment") for lines in said for line in lines) == 1
    assert [path.name for path in (index.cache / "environments").iterdir()] == [Path(said[0][-1]).name]


@pytest.mark.parametrize(
    ("name", "version"), [("../../evil", "1.0.0"), ("gcp", "../../1.0.0"), ("gcp", ""), ("G", "1.0.0")]
)
def test_a_package_cannot_name_a_path_as_its_plugin(tmp_path: Path, name: str, version: str) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    (packages / "pulumi_evil").mkdir(parents=True)
    (packages / "pulumi_evil/pulumi-plugin.json").write_text(
        f'{{"resource": true, "name": "{name}", "version": "{version}"}}'
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    how = settings.read({settings.PYTHON: str(tmp_path / "bin/python")})
    with pytest.raises(settings.WrongSettings, match="usual form"):
        how.plugins()
