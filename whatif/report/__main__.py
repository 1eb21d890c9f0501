"""`python -m whatif.report DOCUMENT --format FORMAT --output FILE`: a document of a what-if, written for people.

Owns the command line. Does not own reading the document, which may come from anybody, nor the forms.
"""

import argparse
import sys
from pathlib import Path

from whatif.report.document import Refused, read
from whatif.report.markdown import markdown
from whatif.report.page import page

_FORMS = {"markdown": markdown, "html": page}


def main() -> int:
    """Exit code 0, or 2 where the document is none."""
    parser = argparse.ArgumentParser(
        prog="python -m whatif.report", description="Write a document for people."
    )
    parser.add_argument("document", type=Path, help="what ./fleet preview --format json wrote")
    parser.add_argument("--format", choices=sorted(_FORMS), required=True)
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    asked = parser.parse_args()
    try:
        asked.output.write_text(_FORMS[asked.format](read(asked.document.read_bytes())))
    except Refused as refused:
        sys.stderr.write(f"error: {asked.document}: {refused}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
