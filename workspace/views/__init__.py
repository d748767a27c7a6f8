"""The REST API of workspaces and live files."""

from workspace.views.files import LiveFileViewSet
from workspace.views.workspaces import WorkspaceViewSet

__all__ = ["LiveFileViewSet", "WorkspaceViewSet"]
