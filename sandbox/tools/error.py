"""What goes wrong with tools.

Owns the exception types. Does not own exit codes: the commands turn a `ToolError` into the one for a machine
that lacks something.
"""


class ToolError(Exception):
    """A tool could not be had. The text holds what, why and, on its last line, what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  remedy: {remedy}")
        self.what = what
        self.remedy = remedy


class MissingTool(ToolError):
    """This machine lacks what getting the tool needs: disk, network, or a folder that can be written to."""
