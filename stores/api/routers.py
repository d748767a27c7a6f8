"""Routes that take an id of any characters, with and without a slash at the end."""

from rest_framework.routers import SimpleRouter


class ApiRouter(SimpleRouter):
    # No format suffixes: they would cut the end off an id such as `notes.json`.
    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
        self.trailing_slash = "/?"
