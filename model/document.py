"""A YAML file as plain values, with the line and the spelling of each.

Owns reading and its errors. Does not know what the values mean. Stricter than YAML: a key that stands twice
is an error (the usual readers keep the last one in silence), and so are anchors, aliases and merge keys: an
entry that is written out reads the same in a review as it does here. Dates stay text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from model.problems import Problem

Step = str | int
Told = Callable[[tuple[Step, ...], Any, str, str], Problem]
"""Makes a problem of one entry: from the path inside it, the value, why it is wrong, and the remedy."""


@dataclass(frozen=True)
class Spelling:
    """How a value stands in the file: its line (from 1) and its text, which tells 1.10 from 1.1."""

    line: int
    text: str


@dataclass
class Document:
    """One file that was read. `content` holds what could be read even where `problems` is not empty."""

    file: str
    content: Any = None
    problems: list[Problem] = field(default_factory=list)
    spellings: dict[tuple[Step, ...], Spelling] = field(default_factory=dict)

    def problem(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> Problem:
        """A problem of this file, with the line of `path` or of what is nearest above it."""
        near = path
        while near and near not in self.spellings:
            near = near[:-1]
        spelling = self.spellings.get(near)
        return Problem(
            file=self.file,
            path=written(path),
            value=_shown(value, self.spellings.get(path)),
            why=why,
            remedy=remedy,
            line=spelling.line if spelling else None,
        )

    def below(self, at: tuple[Step, ...]) -> Told:
        """What makes the problems of the entry at `at`."""

        def told(path: tuple[Step, ...], value: Any, why: str, remedy: str) -> Problem:
            return self.problem((*at, *path), value, why, remedy)

        return told


def read(file: Path, shown_as: str) -> Document:
    """Read one YAML file. What cannot be read is a problem in the result, never an exception."""
    document = Document(shown_as)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        document.problems.append(document.problem((), None, "there is no such file", f"create {shown_as}"))
        return document
    except (OSError, UnicodeDecodeError) as error:
        remedy = "make it a readable text file in UTF-8"
        document.problems.append(document.problem((), None, f"it cannot be read: {error}", remedy))
        return document
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.content = _plain(node, (), loader, document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = f"it is not YAML{where}: {error.problem or error.context}"
        document.problems.append(document.problem((), None, why, "correct the indentation or quoting there"))
    except (yaml.YAMLError, RecursionError) as error:
        document.problems.append(document.problem((), None, f"it is not YAML: {error}", "write plain YAML"))
    finally:
        loader.dispose()
    return document


def written(path: tuple[Step, ...]) -> str:
    """A path in the notation of Pulumi's previews: `clusters[2].labels`, `values["a.b"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif "." in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text


def _shown(value: Any, spelling: Spelling | None) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return f"a {'map' if isinstance(value, dict) else 'list'} of {len(value)}"
    return spelling.text if spelling and spelling.text else str(value)


class _Loader(yaml.SafeLoader):
    """SafeLoader without dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (the base class declares it so)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not supported", mark)
        return super().compose_node(parent, index)


def _plain(node: yaml.Node, path: tuple[Step, ...], loader: _Loader, document: Document) -> Any:
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    document.spellings[path] = Spelling(node.start_mark.line + 1, text)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), loader, document) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag != "tag:yaml.org,2002:str":
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            document.spellings.setdefault((*path, key), Spelling(line, ""))
            why = "a key has to be text, and YAML reads this one as something else"
            document.problems.append(
                document.problem((*path, key), key, why, f'put the key in quotes: "{key}"')
            )
            continue
        key = key_node.value
        if key in result:
            first = document.spellings[*path, key].line
            why = f"the key stands twice: it is already at line {first}"
            found = document.problem((*path, key), None, why, "keep one of the two")
            document.problems.append(Problem(**{**vars(found), "line": line}))
            continue
        result[key] = _plain(value_node, (*path, key), loader, document)
        document.spellings[*path, key] = Spelling(line, document.spellings[*path, key].text)
    return result
