"""A Kubernetes object on its way to a Helm template.

Owns how template actions get into YAML text. Does not own which objects and actions there are.
"""

import re
from typing import Any

import yaml


class Template:
    """One object, `made`.

    Template actions go into the object as tokens, because YAML would quote them, and are put in place as
    text.
    """

    def __init__(self, made: dict[str, Any]) -> None:
        self.made = made
        self._actions: list[str] = []

    def action(self, text: str) -> str:
        """A value that becomes the template text `text`."""
        self._actions.append(text)
        return f"⟦{len(self._actions) - 1}⟧"

    def items(self, value: str) -> str:
        """A list item, or a key of an empty text, that becomes all that is in the value `value`, or nothing."""
        return self.action(f"{{{{- with {value} }}}}\n@{{{{- toYaml . | nindent # }}}}\n@{{{{- end }}}}")

    def entry(self, key: str, value: str) -> str:
        """A key (of an empty text) that becomes `key` with the whole of `value`, or nothing where that is
        empty."""
        head = f"{{{{- with {value} }}}}\n@{key}:\n@  {{{{- toYaml . | nindent #2 }}}}\n@{{{{- end }}}}"
        return self.action(head)

    def text(self) -> str:
        """The template."""
        dumped = yaml.dump(
            self.made, Dumper=yaml.CSafeDumper, sort_keys=False, width=1 << 20, allow_unicode=True
        )
        dumped = re.sub(r"\{\{|\}\}", lambda found: f'{{{{ "{found[0]}" }}}}', dumped)
        dumped = re.sub(r"(?m)^( *)(?:- )?'?⟦(\d+)⟧'?(?:: '')?$", self._block, dumped)
        return re.sub(r"'?⟦(\d+)⟧'?", lambda found: self._actions[int(found[1])], dumped)

    def _block(self, found: re.Match[str]) -> str:
        text = self._actions[int(found[2])]
        if "@" not in text:
            return found[0]
        indent = len(found[1])
        text = re.sub(r"#(\d*)", lambda more: str(indent + int(more[1] or 0)), text.replace("@", found[1]))
        return f"{found[1]}{text}"


def when(condition: str, text: str) -> str:
    """`text` that is there only where a template condition holds."""
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"
