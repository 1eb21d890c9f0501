"""How the rules about sources of Applications word an offence: both say where the value really stands."""

from ..argocd.source import Source
from ..rule import Finding


def offence(source: Source, fault: str, remedy: str) -> Finding:
    """The finding for a source with a `fault`; `remedy` is what a good revision looks like, as a sentence."""
    why = f"{fault} (used by {source.used_by})" if source.used_by else fault
    if source.undecided:
        remedy = f"{remedy}, in the template or in the values of its generators"
    return Finding(path=source.path, value=source.revision, why=why, remedy=remedy)
