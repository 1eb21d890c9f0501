"""The command line: arguments, help, and how an error reaches a person.

Owns the commands' names and options, and turning every expected error into one clear message and an exit code.
Does not own what a command does: each has a module of its own.
"""

import enum
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import checkout as places
from cli import tables
from cli.failure import ExitCode, Failure

app = typer.Typer(
    name="fleet",
    help="A fleet of GKE clusters that Argo CD delivers to. Exit codes: 0 fine, 1 a policy or the program says no, "
    "2 configuration wrong, 3 something is missing on this machine, 4 not healthy in time, 5 a change exceeds the "
    "limits of its stack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Form(enum.StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"


class Plugins(enum.StrEnum):
    """Which resource plugins answer a comparison."""

    PAPER = "paper"
    OFFICIAL = "official"


class ReportForm(enum.StrEnum):
    """How the answer of a preview is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


Stack = Annotated[str, typer.Argument(help="A stack of stacks/, as in Pulumi.<stack>.yaml.")]
Format = Annotated[Form, typer.Option("--format", help="text for people, json for scripts.")]


@app.command()
def up(
    stack: Stack = places.SANDBOX_STACK,
    timeout: Annotated[float, typer.Option(help="Seconds that Argo CD may take to deliver.")] = 420,
    as_previewed: Annotated[
        bool,
        typer.Option(
            "--as-previewed",
            help="With the official plugins: pulumi up may do nothing that its preview did not say (update plans).",
        ),
    ] = False,
) -> None:
    """Bring a stack up: tools, preview with policies, pulumi up, wait until Argo CD has delivered."""
    from cli.up import up as run

    run(places.here(), stack, seconds=timeout, as_previewed=as_previewed)


@app.command()
def preview(
    stack: Stack,
    base: Annotated[
        str | None,
        typer.Option(
            help="What to compare with: a revision of this repository, or a file with `pulumi stack export`.",
            metavar="REV|FILE",
        ),
    ] = None,
    head: Annotated[
        Path | None,
        typer.Option(
            help="A checkout that may be hostile: its program alone runs, confined; all else is this checkout's."
        ),
    ] = None,
    form: Annotated[
        ReportForm,
        typer.Option(
            "--format", help="text for people, json for scripts; with --base markdown and html too."
        ),
    ] = ReportForm.TEXT,
    output: Annotated[Path | None, typer.Option(help="Write the answer to this file.")] = None,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="Show the difference of the rendered objects too.")
    ] = False,
    expect: Annotated[
        str | None,
        typer.Option(help="Exit with 5 unless the change is this one, as an earlier preview named it."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Seconds that the program of --head may take.")] = 600,
    plugins: Annotated[
        Plugins,
        typer.Option(
            help="Who answers: plugins with nothing behind them, or the official ones that are installed, with your "
            "credentials and a file as --base."
        ),
    ] = Plugins.PAPER,
    unconfined: Annotated[
        bool,
        typer.Option(
            "--unconfined", help="Run the program of --head even where this system cannot confine it."
        ),
    ] = False,
    fresh_base: Annotated[
        bool,
        typer.Option(
            "--fresh-base", help="Put the base onto paper again, even where an earlier run has kept it."
        ),
    ] = False,
) -> None:
    """What a stack would be, or what a change does to it, on paper: no cluster, network or credential."""
    if base is not None:
        from cli.comparison import Asked, compare

        asked = Asked(
            stack=stack,
            base=base,
            head=head,
            form=form.value,
            output=output,
            manifests=manifests,
            expect=expect,
            seconds=seconds,
            unconfined=unconfined,
            official=plugins is Plugins.OFFICIAL,
            fresh_base=fresh_base,
        )
        compare(places.here(), asked)
        return
    needing = {
        "--head": head is not None,
        "--manifests": manifests,
        "--expect": expect is not None,
        "--fresh-base": fresh_base,
        "--plugins official": plugins is Plugins.OFFICIAL,
        f"--format {form.value}": form in (ReportForm.MARKDOWN, ReportForm.HTML),
    }
    wrong = [option for option, is_given in needing.items() if is_given]
    if wrong:
        raise Failure(
            ExitCode.CONFIGURATION,
            f"{', '.join(wrong)}: only a comparison has that",
            "add --base, with a revision or a file of `pulumi stack export`",
        )
    from cli.preview import preview as run

    run(places.here(), stack, form=form.value, output=output)


@app.command()
def policies(
    stack: Stack,
    output: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    """What the stack file says of policies, as `pulumi preview --policy-pack-config FILE` takes it."""
    from cli.pack import show

    show(places.here(), stack, output)


@app.command()
def status(stack: Stack = places.SANDBOX_STACK, form: Format = Form.TEXT) -> None:
    """Clusters x add-ons with version, sync, health and ring, as Argo CD reports them."""
    from cli.status import status as run

    run(places.here(), stack, form=form.value)


@app.command()
def held(stack: Stack = places.SANDBOX_STACK, form: Format = Form.TEXT) -> None:
    """What each cluster holds of what Argo CD delivered, with or without an Application behind it."""
    from cli.held import held as run

    run(places.here(), stack, form=form.value)


@app.command()
def adopt(
    stack: Stack,
    only: Annotated[
        list[str] | None,
        typer.Option(help="KIND/NAME to take over, as in Cluster/tokyo-shop or 'Membership/*'."),
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder for the import files.")] = Path("adoption"),
) -> None:
    """Write the files by which `pulumi import` takes over what exists already (docs/adoption.md)."""
    from cli.adoption import adopt as run
    from cli.grounds import of_stacks

    checkout = places.here()
    run(of_stacks(checkout, [stack], f"./fleet adopt {stack}"), stack, only or [], to, tables.say)


@app.command()
def move(
    stacks: Annotated[list[str], typer.Argument(help="All the stacks that share a fleet, before and after.")],
) -> None:
    """Move resources between the stacks of a fleet, as their `gke-fleet:part` now says (docs/parts.md)."""
    from cli.grounds import of_stacks
    from cli.parts import move as run

    checkout = places.here()
    run(of_stacks(checkout, stacks, "./fleet move"), stacks, tables.say)


@app.command()
def down(
    force: Annotated[
        bool, typer.Option("--force", help="Drop the sandbox without destroying the stack.")
    ] = False,
) -> None:
    """Destroy the sandbox's stack and leave nothing running and no file behind."""
    from cli.down import down as run

    run(places.here(), force=force)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def shell(context: typer.Context) -> None:
    """A shell in which pulumi, kubectl, argocd and helm talk to the sandbox; `shell -- CMD ARGS` runs one command."""
    from cli.shell import shell as run

    run(places.here(), context.args)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out what needs the sandbox.")] = False,
) -> None:
    """Every check: actionlint, zizmor, ruff, mypy, pytest. Further arguments go to pytest, which then runs alone."""
    from cli.checks import checks

    checks(places.here(), fast=fast, more=context.args)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which benchmarks; none: all of them.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each case runs.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Write the figures to this file, as JSON.")] = None,
) -> None:
    """The benchmarks: each against a named baseline in the same run (bench/README.md)."""
    from cli.bench import bench as run

    run(places.here(), names or [], rounds=rounds, output=output)


def main() -> None:
    """Run the command line and exit with one of `ExitCode`."""
    os.chdir(places.here().root)
    try:
        app(standalone_mode=False)
    except Failure as failure:
        _say_no(failure)
    except typer.Exit as exit_:
        sys.exit(exit_.exit_code)
    except typer.Abort:
        _say_no(Failure(ExitCode.REFUSED, "interrupted"))
    except KeyboardInterrupt:
        _say_no(Failure(ExitCode.REFUSED, "interrupted"))
    except Exception as error:
        from sandbox.tools import ToolError

        if isinstance(error, ToolError):
            _say_no(Failure(ExitCode.MISSING, str(error)))
        if type(error).__module__.startswith("click") or hasattr(error, "format_message"):
            _say_no(Failure(ExitCode.CONFIGURATION, error.format_message(), "./fleet --help"))  # type: ignore[attr-defined]
        raise


def _say_no(failure: Failure) -> None:
    tables.talk.print(f"[bold red]error:[/] {_plain(failure.what)}")
    if failure.remedy:
        tables.talk.print(f"  remedy: {_plain(failure.remedy)}")
    sys.exit(failure.code)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
