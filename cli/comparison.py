"""`./fleet preview STACK --base ...`: what a change does to a stack.

Owns the order of steps around the comparison, the form in which its answer is written, and the exit code. Does not own
the comparison (whatif/against.py) nor how a form looks (whatif/report/).

The files of an untrusted head are looked at before anything of the wrapper reads them, and the whole run then has no
network: it is started again without one, after tools and environments are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from cli import tables
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure
from cli.pack import stack_config, stack_pack_config
from cli.plan import plan
from plugins import confine
from plugins.cell import NOT_MADE
from sandbox.tools import cache, ensure
from whatif.against import BaseFailed, Compared, Question, advisory_config, against, environment_of
from whatif.answer import Answer, Radius
from whatif.applications import UnreadableOutputs
from whatif.export import NotAnExport
from whatif.head import check_head
from whatif.lock import WrongLock
from whatif.report.document import document
from whatif.report.markdown import markdown
from whatif.report.masking import masked
from whatif.report.page import page
from whatif.report.text import print_answer
from whatif.revision import NoRevision, checked_out, commit_of
from whatif.scratch import NoStack, TooLong

QUIET = "GKE_FLEET_QUIET_RUN"
"""Set in the run that has no network."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The arguments of the command.

    `base`: a revision, or a file. `head`: a folder that may be hostile, None for the checkout. `expect`: the only
    change that is to pass. `seconds`: how long a head that may be hostile may take; `unconfined`: whether it
    may run as it is where this system cannot confine it. `official`: whether the official plugins answer.
    `fresh_base`: whether to put the base onto paper again where an earlier run has kept it.
    """

    stack: str
    base: str
    head: Path | None
    form: str
    output: Path | None
    manifests: bool
    expect: str | None
    seconds: float
    unconfined: bool = False
    official: bool = False
    fresh_base: bool = False


def compare(checkout: Checkout, asked: Asked) -> None:
    """Preview the head against the base and write the answer.

    Raises Failure: 1 where the program, the engine or a mandatory policy says no, 2 where configuration or base is
    wrong, 5 where the change exceeds the limits of the stack, or is another one than expected.
    """
    if asked.official and not Path(asked.base).is_file():
        raise Failure(
            ExitCode.CONFIGURATION,
            f"--plugins official --base {asked.base}: the official plugins put nothing onto paper, so the base has to "
            "be what is deployed",
            f"name a file: `pulumi stack export --stack {asked.stack} --file FILE`",
        )
    untrusted = asked.head is not None
    head = asked.head.resolve() if asked.head is not None else checkout.root
    if untrusted:
        _look_at(head)
    else:
        plan(checkout, asked.stack)
    cli = ensure("pulumi", tables.say) / "pulumi"
    if untrusted and not os.environ.get(QUIET):
        reason = confine.possible()
        # The official plugins need the network; the program of the head has none in either case.
        if reason is None and not asked.official:
            _again_without_network(checkout, asked, head)
            return
        if reason is not None and not asked.unconfined:
            raise Failure(
                ExitCode.MISSING,
                f"the program of the head cannot be confined here: {reason}",
                "allow it, as docs/hostile-pull-requests.md says; or, where you have read the head and trust it, "
                "--unconfined",
            )
        if reason is not None:
            tables.say(f"warning: the head's program is not confined: {reason}")
    with _failures(), tempfile.TemporaryDirectory(prefix="gke-fleet-policies-") as made:
        question = _question(checkout, asked, head, cli, Path(made))
        as_text = asked.form == "text"
        with _stream(asked.output if as_text else None) as out:
            compared = against(question, out=out if as_text else None, say=tables.say)
            answer = compared.answer
            if asked.manifests and not compared.head_failed:
                answer = answer.model_copy(update={"manifests": _manifests(checkout, compared)})
            if as_text:
                console = tables.data if out is sys.stdout else tables.Console(file=out, width=160)
                print_answer(answer, console)
        if not as_text:
            tables.hand_over(_written(asked.form, answer, compared), asked.output)
    _judge(asked, answer)


def _look_at(head: Path) -> None:
    if not head.is_dir():
        raise Failure(ExitCode.CONFIGURATION, f"--head {head}: there is no such folder", "name a checkout")
    wrong = check_head(head)
    if wrong:
        raise Failure(
            ExitCode.CONFIGURATION,
            f"the head in {head.name} has files that are not read:\n"
            + "\n".join(f"  {one}" for one in wrong),
            "take them out of the head; docs/hostile-pull-requests.md says why",
        )


def _again_without_network(checkout: Checkout, asked: Asked, head: Path) -> None:
    # Wheels of either lock come from the network, and none of them runs while they are put in place.
    with _failures(), tempfile.TemporaryDirectory(prefix="gke-fleet-base-") as scratch:
        environment_of(head, cache=_environments(), say=tables.say)
        if not Path(asked.base).is_file():
            commit = commit_of(checkout.root, asked.base)
            with checked_out(checkout.root, commit, Path(scratch)) as revision:
                environment_of(revision.folder, cache=_environments(), say=tables.say)
    command = confine.without_network([sys.executable, "-m", "cli", *sys.argv[1:]])
    done = subprocess.run(
        command, env={**os.environ, QUIET: "1"}, stdin=subprocess.DEVNULL, check=False
    ).returncode
    if done == NOT_MADE:
        raise Failure(ExitCode.MISSING, "the run could not be cut off from the network (see above)")
    if done != 0:
        sys.exit(done)


def _question(checkout: Checkout, asked: Asked, head: Path, cli: Path, folder: Path) -> Question:
    from policies.rules import catalogue

    given = stack_pack_config(checkout, asked.stack, folder)
    base: str | Path = asked.base
    if Path(asked.base).is_file():
        base = Path(asked.base).resolve()
    return Question(
        checkout=checkout.root,
        stack=asked.stack,
        base=base,
        head=head,
        cli=cli,
        cache=_environments(),
        kept=_bases(),
        fresh=asked.fresh_base,
        untrusted=asked.head is not None,
        official=asked.official,
        pack=checkout.policies,
        pack_config=given,
        advisory=advisory_config(given, folder / "base.json"),
        cost_rules=frozenset(rule.name for rule in catalogue() if rule.group == "cost"),
        seconds=asked.seconds,
    )


def _environments() -> Path:
    return cache.root() / "environments"


def _bases() -> Path:
    return cache.root() / "bases"


def _manifests(checkout: Checkout, compared: Compared) -> Any:
    from cli.charts import reach
    from whatif.manifests import manifests

    return manifests(
        compared.base_outputs,
        compared.head_outputs,
        compared.answer.changes,
        reach=reach(
            stack_config(checkout.stacks, compared.answer.stack),
            network=not os.environ.get(QUIET),
            say=tables.say,
        ),
        say=tables.say,
    )


def _written(form: str, answer: Answer, compared: Compared) -> str:
    if form == "markdown":
        return markdown(answer)
    if form == "html":
        return page(answer)
    whole = document(answer) | {"resources": _masked(compared.resources)}
    # A large fleet's document has to stay below what a reader of it takes.
    return json.dumps(whole, separators=(",", ":")) + "\n"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {masked(name): _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return masked(value) if isinstance(value, str) else value


@contextmanager
def _stream(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w") as opened:
        yield opened


def _judge(asked: Asked, answer: Answer) -> None:
    if answer.exit_code != 0:
        mandatory = sorted({one.rule for one in answer.policies if one.level == "mandatory"})
        because = "\n".join(answer.diagnostics)
        if mandatory:
            because = f"mandatory policies are violated: {', '.join(mandatory)}"
        raise Failure(ExitCode.REFUSED, f"the preview of {asked.stack} says no: {masked(because)}")
    radius = answer.radius
    if asked.expect is not None and radius.change != asked.expect:
        raise Failure(
            ExitCode.BLAST_RADIUS,
            f"the change is {radius.change}, not {asked.expect} as expected: files or fleet are not what they were "
            "when that one was approved",
            "look at the preview again and approve what it says now",
        )
    if radius.is_over:
        raise Failure(ExitCode.BLAST_RADIUS, _over(asked.stack, radius), _how_to_acknowledge(asked, radius))


def _over(stack: str, radius: Radius) -> str:
    said = "; ".join(
        f"{one.what}: {one.found}, at most {one.allowed} ({_few(one.names)})" for one in radius.exceeded
    )
    return f"the change {radius.change} exceeds the limits of stack {stack}: {said}"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _how_to_acknowledge(asked: Asked, radius: Radius) -> str:
    where = "on the base branch, " if asked.head is not None else ""
    return (
        f"make it in smaller steps; or {where}add to `gke-fleet:acknowledged` in stacks/Pulumi.{asked.stack}.yaml: "
        f'{{change: "{radius.change}", reason: why it is right all the same}}'
    )


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what the parts say into one clear Failure."""
    try:
        yield
    except (NoRevision, NotAnExport) as error:
        raise Failure(ExitCode.CONFIGURATION, f"--base: {error}", error.remedy) from error
    except (NoStack, WrongLock, UnreadableOutputs) as error:
        raise Failure(ExitCode.CONFIGURATION, str(error)) from error
    except BaseFailed as error:
        raise Failure(
            ExitCode.REFUSED, masked(str(error)), "name another base, one that `./fleet preview` accepts"
        ) from error
    except TooLong as error:
        raise Failure(ExitCode.REFUSED, str(error), "a larger --seconds gives it longer") from error
