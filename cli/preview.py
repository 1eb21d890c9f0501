"""`./fleet preview STACK`: what a stack would be, on paper.

Owns the two forms of the answer (text, and one JSON document for scripts). Does not own the run itself (whatif/).
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.markup import escape

from cli import tables
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure
from cli.pack import stack_pack_config
from cli.plan import plan


def preview(checkout: Checkout, stack: str, *, form: str, output: Path | None) -> None:
    """Preview `stack` with the policy pack, needing no cluster, network or credential.

    Raises Failure: exit code 1 where the program or a mandatory policy says no.
    """
    planned = plan(checkout, stack)
    from sandbox.tools import ensure
    from whatif.events import as_policies
    from whatif.preview import preview as on_paper
    from whatif.report.grouping import findings
    from whatif.report.text import print_findings

    cli = ensure("pulumi", tables.say) / "pulumi"
    as_text = form == "text"
    text_stream = output.open("w") if as_text and output else sys.stdout
    try:
        with tempfile.TemporaryDirectory(prefix="gke-fleet-policies-") as made:
            result = on_paper(
                checkout.root,
                stack,
                cli=cli,
                policy_pack=checkout.policies,
                policy_config=stack_pack_config(checkout, stack, Path(made)),
                out=text_stream if as_text else None,
            )
        if as_text:
            text_stream.flush()
            console = tables.data if output is None else tables.Console(file=text_stream, width=160)
            console.print("\n[bold]Applications that Argo CD stamps[/]")
            console.print(tables.predicted([a.__dict__ for a in planned.applications]))
            for notice in planned.notices:
                console.print(f"[yellow]notice[/] {escape(notice)}")
            print_findings("Policy findings", findings(as_policies(result.policies)), console)
            processes = ", ".join(f"{count} {name}" for name, count in result.providers.items())
            console.print(
                f"Provider processes of an ordinary run: {sum(result.providers.values())} ({processes})"
            )
        else:
            document: dict[str, Any] = {
                "stack": stack,
                "resources": result.resources,
                "applications": [a.__dict__ for a in planned.applications],
                "notices": list(planned.notices),
                "policies": result.policies,
                "providers": result.providers,
                "summary": result.summary,
            }
            tables.hand_over(json.dumps(document, indent=2) + "\n", output)
    finally:
        if output and as_text:
            text_stream.close()
    if result.exit_code != 0:
        said = "\n".join(str(line).rstrip() for line in result.diagnostics)
        mandatory = sorted({str(one["rule"]) for one in result.policies if one["level"] == "mandatory"})
        because = f"mandatory policies are violated: {', '.join(mandatory)}" if mandatory else said
        raise Failure(ExitCode.REFUSED, f"the preview of {stack} says no: {because}")
