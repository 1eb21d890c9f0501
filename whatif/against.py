"""What a change would do to a stack: the CLI's preview of the head against the base, on paper.

Owns the order: the base is put onto paper (`up` of a throw-away stack, the import of an export, or what an earlier run
kept), the CLI previews the head against it, and what it says becomes an `Answer`. Does not own any of the parts:
resources are the CLI's word, Applications are compared in `whatif.applications`, the blast radius is counted in
`whatif.radius`.

Each revision's program runs in a process and an environment of its own lock. What a revision may bring in beside its
program and its configuration (plugins, backend, secrets provider) is left out. The engine needs the base's state before
it can begin with the head. What does not need it runs side by side: the head's interpreter comes up during the base's
run, and the policy pack looks at the base while the head is previewed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import yaml

from model.stack_limits import ACKNOWLEDGED, LIMITS, acknowledgements_of, limits_of, stricter
from model.stack_policies import POLICIES
from plugins import confine
from plugins.language_python import ready
from plugins.language_python import settings as program
from whatif import events
from whatif.answer import Answer, Policy, Side
from whatif.applications import Outputs, applications, changes
from whatif.base import Base
from whatif.events import GONE, ROOT, Preview, as_policies, read
from whatif.export import Export
from whatif.export import read as read_export
from whatif.kept import Kept, Shelf, key_of
from whatif.lock import environment_for
from whatif.preview import QUIET, colour, pack_arguments, refused_before_a_run, writer
from whatif.radius import cluster_of, destroyed_clusters, radius
from whatif.report.masking import masked
from whatif.report.plain import plain
from whatif.revision import Commit, checked_out, commit_of
from whatif.scratch import NoStack, Scratch, available_mib, make_project, salt, stack_file

_MIB_BESIDE = 1500.0
"""Free memory with which something runs beside the rest: the head's interpreter, or a CLI and a pack."""
_LOOK_SECONDS = 0.1

_READINESS = "gke-fleet:readinessTimeout"
_TODAY = "gke-fleet:today"
_LOCK = "requirements.txt"

_NOT_THE_HEADS = (ACKNOWLEDGED, LIMITS, POLICIES, "gcp:", "kubernetes:", "pulumi:")
"""Beginnings of the settings that a head that may be hostile has no say in: the checkout's count."""


class BaseFailed(Exception):
    """The base cannot be put onto paper. The message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked.

    `checkout`: the folder of the wrapper's own Pulumi.yaml. `base`: a revision, or a file with an export. `head`: the
    folder whose program is previewed. `untrusted`: it may be hostile, so its program runs confined, and limits and
    acknowledgements are the base's. `pack`, `pack_config`: the policy pack and its configuration for the head.
    `official`: the resource plugins are those that the user has installed; for an export as the base alone.
    `advisory`: the same configuration with every level advisory, for the base. `cache`: where environments of other
    locks are kept. `kept`: where bases on paper are kept for the next comparison with one, None: nowhere; `fresh`:
    those of earlier runs do not count. `seconds`: how long the head's run may take where it is untrusted.
    """

    checkout: Path
    stack: str
    base: str | Path
    head: Path
    cli: Path
    cache: Path
    untrusted: bool = False
    official: bool = False
    pack: Path | None = None
    pack_config: Path | None = None
    advisory: Path | None = None
    cost_rules: frozenset[str] = frozenset()
    kept: Path | None = None
    fresh: bool = False
    seconds: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The answer, and what it was made from: the CLI's resources of the head, and the outputs of both sides."""

    answer: Answer
    resources: list[dict[str, Any]]
    base_outputs: Outputs
    head_outputs: Outputs
    head_failed: bool = False


def against(
    question: Question, *, out: TextIO | None = None, say: Callable[[str], None] = lambda line: None
) -> Compared:
    """Answer `question`. What the CLI says of the head goes to `out`, progress to `say`.

    Raises BaseFailed; NoStack where the head has no such stack; NoRevision or NotAnExport for the base; WrongLock for
    either; UnreadableOutputs; TooLong.
    """
    with contextlib.ExitStack() as opened:
        opened.enter_context(_nothing_collected())
        run = _Run(question, opened, say)
        run.base()
        preview = run.head(out)
        base = run.judged()
        return _compared(question, run.label, base, preview, run.confined)


class _Run:
    """One question on its way. `label`: what a person calls the base."""

    def __init__(self, question: Question, opened: contextlib.ExitStack, say: Callable[[str], None]) -> None:
        self._asked, self._opened, self._say = question, opened, say
        self._head_python = environment_of(question.head, cache=question.cache, say=say)
        self._export: Export | None = None
        self._commit: Commit | None = None
        self._kept: Kept | None = None
        versions = [program_versions(self._head_python)]
        if isinstance(question.base, Path):
            self._export = read_export(question.base, _project_of(question.checkout), question.stack)
            self.label = question.base.name
        else:
            self._commit = commit_of(question.checkout, question.base)
            self.label = self._commit.label
            if question.kept is not None:
                self._key = _key(question, self._commit)
                self._kept = None if question.fresh else Shelf(question.kept).find(self._key)
            if self._kept is None:
                made = tempfile.TemporaryDirectory(prefix="gke-fleet-base-", ignore_cleanup_errors=True)
                scratch = Path(opened.enter_context(made))
                self._revision = opened.enter_context(checked_out(question.checkout, self._commit, scratch))
                self._base_python = environment_of(self._revision.folder, cache=question.cache, say=say)
                versions.append(program_versions(self._base_python))
        self._scratch = opened.enter_context(
            Scratch(question.cli, sdk_versions=versions, own_host=True, official=question.official)
        )
        self._base_project = self._scratch.folder / "base"
        self._head_project = self._scratch.folder / "head"
        self._salt: dict[str, str] = {}
        self._base: Base | Future[Base] = Base()
        self._modules: tuple[str, ...] = ()
        self._ready: ready.Ready | None = None
        self.confined: str | None = None

    def base(self) -> None:
        """Put the base onto paper, and let the policy pack look at it."""
        if self._export is not None:
            self._imported(self._export)
        elif self._kept is not None:
            self._say(f"base {self.label}: on paper since an earlier run")
            self._base, self._salt = self._kept.base, dict(self._kept.settings)
            self._prepare(self._kept.modules)
            self._scratch.put_stack(self._kept.project, self._asked.stack, self._kept.checkpoint)
        else:
            self._made()

    def head(self, out: TextIO | None) -> Preview:
        """Preview the head."""
        asked = self._asked
        self._make_head(self._head_project)
        if not self._salt:
            self._init(self._head_project)
        self._say("head: previewing it against the base")
        log = self._scratch.folder / "head.json"
        command = ["preview", "--stack", asked.stack, "--event-log", str(log), *QUIET, *colour(out)]
        # What the outputs say is the Application diff.
        command += ["--diff", "--suppress-outputs"]
        command += pack_arguments(asked.pack, asked.pack_config)
        more = _program(self._head_python) | (self._ready.variables if self._ready is not None else {})
        if asked.untrusted:
            reason = confine.possible()
            self.confined = confine.sentence(asked.seconds, reason)
            if reason is None:
                more |= {
                    program.CONFINED: "1",
                    program.FOLDER: str(asked.head.resolve()),
                    program.SECONDS: str(asked.seconds),
                }
        limit = asked.seconds + 60 if asked.untrusted else None
        told = writer(out, _harmless if asked.untrusted else masked)
        said, code = self._scratch.run(command, self._head_project, out=told, more=more, seconds=limit)
        result = read(log)
        result.exit_code = code
        refused_before_a_run(result, said)
        return result

    def judged(self) -> Base:
        """The base, with what the pack finds in it; kept for the next comparison. Raises BaseFailed."""
        if isinstance(self._base, Base):
            return self._base
        base = self._base.result()
        if self._asked.kept is not None and self._commit is not None:
            kept = Kept(
                key=self._key,
                base=base,
                project=self._project,
                checkpoint=self._checkpoint,
                settings=self._salt,
                modules=self._modules,
            )
            Shelf(self._asked.kept).put(kept)
        return base

    def _made(self) -> None:
        """The base by `up` of its program."""
        assert self._commit is not None
        revision, stack = self._revision, self._asked.stack
        values = {_READINESS: 0, _TODAY: self._commit.day}
        try:
            make_project(revision.folder, stack, self._base_project, values=values)
        except NoStack:
            self._say(f"{self.label} has no stack {stack}: everything is new")
            self.label = f"{self.label}, without this stack"
            return
        self._say(f"base {self.label}: putting it onto paper")
        self._init(self._base_project)
        log = self._scratch.folder / "base.json"
        command = ["up", "--yes", "--skip-preview", "--stack", stack, "--event-log", str(log), *QUIET]
        loaded = self._scratch.folder / "loaded"
        more = _program(self._base_python) | {"PULUMI_SKIP_CHECKPOINTS": "1", program.LOADED: str(loaded)}
        with self._preparing(loaded):
            said, code = self._scratch.run([*command, "--color", "never"], self._base_project, more=more)
        if code != 0:
            done = read(log, inputs=False)
            done.exit_code = code
            refused_before_a_run(done, said)
            raise BaseFailed(
                f"the base {self.label} cannot be put onto paper: " + "\n".join(done.diagnostics)
            )
        self._project = _project_of(revision.folder)
        self._checkpoint = self._scratch.stack_text(self._project, stack)
        self._beside(lambda: self._seen(log, dict(_stack_settings(revision.folder, stack))))

    def _seen(self, log: Path, settings: dict[str, Any]) -> Base:
        """The base that the run of its program made, as its event log and its state say."""
        done = read(log, inputs=False)
        found: tuple[Policy, ...] = ()
        if self._asked.pack is not None:
            latest = json.loads(self._checkpoint)
            file = self._scratch.folder / "made.json"
            file.write_text(
                json.dumps({"version": latest["version"], "deployment": latest["checkpoint"]["latest"]})
            )
            found = self._found(file)
        return Base(
            outputs=done.outputs,
            providers=done.providers,
            resources=len(done.resources) - 1,
            policies=found,
            parents=done.parents,
            notices=tuple(done.warnings),
            settings=settings,
        )

    @contextlib.contextmanager
    def _preparing(self, loaded: Path) -> Iterator[None]:
        """As soon as the base's program has told in the file `loaded` what it imports, let the head's do the same."""
        over = threading.Event()

        def watch() -> None:
            while not loaded.exists():
                if over.wait(_LOOK_SECONDS):
                    return
            self._modules = tuple(loaded.read_text().split())
            self._prepare(self._modules)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def _prepare(self, modules: Sequence[str]) -> None:
        """Let an interpreter for the head's program import `modules`, beside all else. One that may be hostile begins
        in its cell."""
        if modules and not self._asked.untrusted and available_mib() >= _MIB_BESIDE:
            environment = self._scratch.attached() | _program(self._head_python)
            self._ready = ready.start(_python(self._head_python), modules, self._scratch.folder, environment)
            if self._ready is not None:
                self._opened.callback(self._ready.end)

    def _make_head(self, folder: Path) -> None:
        """The scratch project of the head in `folder`, for the stack that is there by then."""
        asked = self._asked
        make_project(
            asked.head,
            asked.stack,
            folder,
            described=asked.checkout / "Pulumi.yaml" if asked.untrusted else None,
            settings=self._salt,
            values={**_own(asked), _READINESS: 0},
            refused=_NOT_THE_HEADS if asked.untrusted else (),
        )

    def _imported(self, export: Export) -> None:
        asked = self._asked
        self._say(f"base {self.label}: importing it without its secrets")
        self._make_head(self._base_project)
        self._init(self._base_project)
        file = self._scratch.folder / "import.json"
        file.write_text(export.importable(self._salt["encryptionsalt"]))
        said, code = self._scratch.run(
            ["stack", "import", "--stack", asked.stack, "--file", str(file), "--non-interactive"],
            self._base_project,
        )
        if code != 0:
            raise BaseFailed(f"the CLI does not import {asked.base}: " + "\n".join(said))
        self._beside(
            lambda: Base(
                outputs=dict(export.outputs),
                providers=export.providers,
                resources=sum(1 for one in export.resources if one.get("type") != ROOT),
                policies=self._found(file) if asked.pack is not None else (),
                parents=export.parents,
                notices=tuple(export.pending),
            )
        )

    def _beside(self, look: Callable[[], Base]) -> None:
        """Look at the base, beside the head's run where memory allows."""
        worker = self._opened.enter_context(ThreadPoolExecutor(max_workers=1))
        self._base = worker.submit(look)
        if available_mib() < _MIB_BESIDE:
            self._base.result()

    def _found(self, file: Path) -> tuple[Policy, ...]:
        """What the pack finds in the resources of `file`."""
        asked = self._asked
        command = ["policy", "analyze", "--file", str(file), "--json", "--non-interactive"]
        command += pack_arguments(asked.pack, asked.advisory)
        said, code = self._scratch.run(command, self._base_project)
        found = as_policies(events.policies("\n".join(said)))
        if code != 0 and not found:
            raise BaseFailed(f"the policy pack cannot look at the base {self.label}: " + "\n".join(said))
        return found

    def _init(self, project: Path) -> None:
        command = ["stack", "init", self._asked.stack, "--non-interactive", "--no-select"]
        said, code = self._scratch.run(command, project, plugins=False)
        if code != 0:
            raise BaseFailed("the CLI cannot make a throw-away stack: " + "\n".join(said))
        self._salt = salt(project, self._asked.stack)


def _compared(question: Question, label: str, base: Base, head: Preview, confined: str | None) -> Compared:
    failed = head.exit_code != 0 and not head.outputs
    # Where the program did not come to its end, nothing is known of the head's Applications: no change is claimed.
    outputs: Outputs = base.outputs if failed else head.outputs
    names = {*_names(base.outputs), *_names(outputs)}
    parents: dict[str, str | None] = {**base.parents, **head.parents}
    steps = tuple(step for step in head.steps if step.type != ROOT or step.op != "same")
    owners = {step.urn: cluster_of(step.urn, names, parents) for step in steps}
    clusters = {urn: name for urn, name in owners.items() if name is not None}
    differing = changes(base.outputs, outputs, destroyed_clusters(steps, clusters))
    before, after = applications(base.outputs), applications(outputs)
    rings = {one.cluster: one.ring for one in (*before, *after)}
    # A head that may be hostile has no say in what it may do: the checkout that the wrapper belongs to has.
    settings = _stack_settings(question.checkout if question.untrusted else question.head, question.stack)
    limits = stricter(limits_of(base.settings), limits_of(settings))
    acknowledged = (*acknowledgements_of(base.settings), *acknowledgements_of(settings))
    policies = as_policies(head.policies)
    answer = Answer(
        stack=question.stack,
        base=Side(
            label=label,
            resources=base.resources,
            applications=before,
            clusters=_names(base.outputs),
            providers=base.providers,
            gateway=_gateway(base.outputs),
            costs=_costs(question, base.policies),
            notices=base.notices,
        ),
        head=Side(
            label=_head_label(question),
            resources=sum(1 for step in head.steps if step.op not in GONE and step.type != ROOT),
            applications=after,
            clusters=_names(outputs),
            providers=head.providers,
            gateway=_gateway(outputs),
            costs=_costs(question, policies),
            notices=tuple(head.warnings),
        ),
        steps=steps,
        changes=differing,
        policies=policies,
        new_policies=_without(policies, base.policies),
        fixed_policies=() if failed else _without(base.policies, policies),
        radius=radius(differing, steps, clusters, limits, acknowledged, rings),
        summary=head.summary,
        diagnostics=tuple(head.diagnostics),
        exit_code=head.exit_code,
        confined=confined,
    )
    return Compared(
        answer=answer,
        resources=head.resources,
        base_outputs=base.outputs,
        head_outputs=outputs,
        head_failed=failed,
    )


def _key(question: Question, commit: Commit) -> str:
    """The key of a base that is kept."""
    # The pack holds exemptions against the day of the run.
    words = [commit.sha, commit.prefix, commit.day, question.stack, date.today().isoformat()]
    return key_of(
        words=words,
        cli=question.cli,
        packs=[question.pack] if question.pack is not None else [],
        files=[question.advisory] if question.advisory is not None else [],
    )


def _project_of(folder: Path) -> str:
    """The name of the project in `folder`."""
    return str(yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"])


def _without(some: tuple[Policy, ...], others: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """Findings that are not among `others`; the level does not tell them apart, since the base's is advisory."""
    known = {(one.rule, one.urn, one.message) for one in others}
    return tuple(one for one in some if (one.rule, one.urn, one.message) not in known)


def _names(outputs: Outputs) -> tuple[str, ...]:
    found = outputs.get("clusters")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def _gateway(outputs: Outputs) -> float | None:
    found = outputs.get("gateway")
    rate = found.get("requestsPerMinute") if isinstance(found, Mapping) else None
    return float(rate) if isinstance(rate, int | float) and not isinstance(rate, bool) else None


def _costs(question: Question, policies: tuple[Policy, ...]) -> int:
    return sum(1 for one in policies if one.rule in question.cost_rules)


def _head_label(question: Question) -> str:
    return f"the program in {question.head.name}" if question.untrusted else "the working tree"


def _own(question: Question) -> dict[str, Any]:
    """The settings of the checkout that count in place of those of a head that may be hostile."""
    if not question.untrusted:
        return {}
    config = _stack_settings(question.checkout, question.stack).get("config")
    found = config if isinstance(config, Mapping) else {}
    return {name: value for name, value in found.items() if name.startswith(_NOT_THE_HEADS)}


def _harmless(line: str) -> str:
    """A line of a run that a hostile program had a say in: nothing but text."""
    return plain(masked(line.rstrip("\n"))) + "\n"


def _stack_settings(folder: Path, stack: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(stack_file(folder, stack).read_text())
    except (OSError, yaml.YAMLError):
        return {}
    return found if isinstance(found, Mapping) else {}


def program_versions(prefix: Path) -> dict[str, str]:
    """package -> version of the provider SDKs that the environment `prefix` holds."""
    return dict(program.read({program.PYTHON: str(prefix / "bin" / "python")}).plugins())


def environment_of(folder: Path, *, cache: Path, say: Callable[[str], None]) -> Path:
    """The environment of the lock in `folder`, a checkout; this process's own where there is none. Raises WrongLock."""
    lock = folder / _LOCK
    return environment_for(lock, cache=cache, say=say) if lock.is_file() else Path(sys.prefix)


def _python(prefix: Path) -> Path:
    """The interpreter of the environment `prefix`."""
    return Path(sys.executable) if prefix == Path(sys.prefix) else prefix / "bin" / "python"


def _program(prefix: Path) -> dict[str, str]:
    """The variables that make a program run in the environment `prefix`."""
    return {} if prefix == Path(sys.prefix) else {program.PYTHON: str(_python(prefix))}


def advisory_config(given: Path | None, target: Path) -> Path:
    """Write the configuration of a pack with every level advisory to `target`: what a base violates ends nothing."""
    config = json.loads(given.read_text()) if given is not None else {}
    softened = {
        name: {**one, "enforcementLevel": "advisory"} if isinstance(one, dict) else "advisory"
        for name, one in config.items()
        if not (one == "disabled" or (isinstance(one, dict) and one.get("enforcementLevel") == "disabled"))
    }
    off = {name: one for name, one in config.items() if name not in softened}
    target.write_text(json.dumps({"all": "advisory", **softened, **off}))
    return target


@contextlib.contextmanager
def _nothing_collected() -> Iterator[None]:
    """A comparison lets go of little; looking for garbage among a large fleet's events takes a second."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
