"""From a bootstrap file to checked settings: all of them, or every mistake.

Owns what holds between values. The form of a single value is checked by its type.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from bootstrap.settings import ProjectSettings, Settings
from model.document import Document, Step, read
from model.entry import parsed
from model.problems import ConfigurationError, Problem, did_you_mean


def load(folder: Path, stack: str) -> Settings:
    """Read `<stack>.yaml` in `folder`. Raises ConfigurationError with every mistake in it."""
    file = folder / f"{stack}.yaml"
    document = read(file, f"{folder.name}/{file.name}")
    problems = list(document.problems)
    if not file.is_file():
        known = sorted(p.stem for p in folder.glob("*.yaml") if not p.stem.startswith("Pulumi"))
        why = f"stack {stack} has no settings"
        remedy = f"create {folder.name}/{file.name}, or name another stack: {did_you_mean(stack, known)}"
        raise ConfigurationError([document.problem((), None, why, remedy)])
    content = document.content
    if not isinstance(content, dict):
        if not problems:
            why = "the file is empty" if content is None else "the file has to be a map"
            problems.append(document.problem((), None, why, "write it like bootstrap/prod.yaml"))
        raise ConfigurationError(problems)
    settings = parsed(Settings, document, (), content, problems)
    problems += _Checks(document, content).problems
    if settings is None or problems:
        raise ConfigurationError(problems)
    return settings


class _Checks:
    """What is wrong between values, as far as they could be read: a mistake in one hides none in another."""

    def __init__(self, document: Document, content: dict[str, Any]) -> None:
        self._document = document
        self._content = content
        self.problems: list[Problem] = []
        raw = content.get("projects")
        self._projects: dict[str, Any] = raw if isinstance(raw, dict) else {}
        unheard: list[Problem] = []
        self._parsed = {
            project: found
            for project, entry in self._projects.items()
            if (found := parsed(ProjectSettings, document, ("projects", project), entry, unheard))
        }
        if raw == {}:
            self._add(("projects",), None, "there is no project", "add the fleet host project at least")
        self._check_places()
        self._check_numbers()
        self._check_names()
        self._check_environments()
        for project, entry in self._parsed.items():
            self._check_uses(project, entry)

    def _add(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        self.problems.append(self._document.problem(path, value, why, remedy))

    def _check_places(self) -> None:
        content = self._content
        if content.get("organization") is not None and content.get("folder") is not None:
            why = "`organization` says where new projects go, too"
            self._add(
                ("folder",), content["folder"], why, "keep one of the two; a folder knows its organization"
            )
        made = [project for project, entry in self._parsed.items() if entry.create]
        if not made:
            return
        text = f"project {made[0]} is to be created"
        if content.get("organization") is None and content.get("folder") is None:
            remedy = "add `organization:` or `folder:`, or `create: false` for a project that exists"
            self._add(("organization",), None, f"{text}, and nothing says where", remedy)
        if content.get("billingAccount") is None:
            remedy = "add `billingAccount:`, or `create: false` for a project that exists"
            self._add(("billingAccount",), None, f"{text}, and nobody pays for it", remedy)

    def _check_numbers(self) -> None:
        owners: dict[str, str] = {}
        for project, entry in self._parsed.items():
            at: tuple[Step, ...] = ("projects", project, "number")
            if entry.create and entry.number is not None:
                why = "Google gives a new project its number"
                self._add(
                    at, entry.number, why, "drop the line, or add `create: false` if the project exists"
                )
            if not entry.create and entry.number is None:
                remedy = f"add `number:` as `gcloud projects describe {project}` prints it, in quotes"
                self._add(at, None, "it is missing for a project that exists already", remedy)
            if not entry.create and entry.default_network:
                why = "the project exists, and so do its networks"
                self._add((*at[:-1], "defaultNetwork"), "true", why, "drop the line")
            if entry.number is not None:
                if entry.number in owners:
                    why = f"project {owners[entry.number]} has that number already"
                    self._add(at, entry.number, why, "correct one of the two numbers")
                owners.setdefault(entry.number, project)

    def _check_names(self) -> None:
        for key in ("hostProject", "hubProject"):
            named = self._content.get(key)
            if isinstance(named, str) and self._projects and named not in self._projects:
                remedy = f"add it there, or: {did_you_mean(named, self._projects)}"
                self._add((key,), named, "that project is not among `projects`", remedy)

    def _check_environments(self) -> None:
        github = self._content.get("github")
        if not isinstance(github, dict):
            return
        preview = github.get("previewEnvironment")
        if preview is not None and preview == github.get("deployEnvironment"):
            why = "that is the environment that deploys: whoever may read could deploy"
            self._add(
                ("github", "previewEnvironment"), preview, why, "give previews an environment of their own"
            )

    def _check_uses(self, project: str, entry: ProjectSettings) -> None:
        at: tuple[Step, ...] = ("projects", project, "uses")
        for use, count in Counter(entry.uses).items():
            if count > 1:
                self._add(at, use.value, f"{use.value} is listed {count} times", "list it once")
        host, hub = self._content.get("hostProject"), self._content.get("hubProject")
        if entry.uses and project == host and hub is not None and hub != host:
            why = "no cluster lives in the host project when the hub has another one"
            self._add(at, entry.uses[0].value, why, "drop `uses` here")
