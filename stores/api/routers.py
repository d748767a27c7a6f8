"""Routes for ids with any characters, with and without a trailing slash."""

from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    # No format suffixes: they would cut off the end of an id such as `notes.json`.
    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
        self.trailing_slash = "/?"
