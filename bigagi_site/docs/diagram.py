"""The diagrams of the tables, one an app: django-extensions' `graph_models` in the site's colours."""

import shutil
import subprocess
from functools import lru_cache

from django.conf import settings
from django_extensions.management.modelviz import ModelGraph, generate_dot

TEMPLATE = "api/diagram/digraph.dot"
DRAWING_SECONDS = 20

# As in `static/bigagi/colors.css`, which a drawing cannot read.
COLORS = {
    "light": {
        "surface": "#ffffff",
        "line": "#dedbd3",
        "text": "#23262b",
        "quiet": "#5d6169",
        "accent": "#24635f",
        "on_accent": "#ffffff",
    },
    "dark": {
        "surface": "#1d2125",
        "line": "#343a41",
        "text": "#e6e7e9",
        "quiet": "#a3a9b1",
        "accent": "#7cc7bf",
        "on_accent": "#10211f",
    },
}


def has_graphviz() -> bool:
    """Tell whether the diagram can be drawn on this machine."""
    return shutil.which("dot") is not None


@lru_cache
def build_dot(app: str, theme: str = "light") -> str:
    """Return the diagram of an app's tables in Graphviz's language. `theme` is light or dark."""
    options = {name: value for name, value in settings.GRAPH_MODELS.items() if name != "app_labels"}
    graph = ModelGraph([app], **options)
    graph.generate_graph_data()
    text: str = generate_dot(graph.get_graph_data() | {"colors": COLORS[theme]}, template=TEMPLATE)
    return "\n".join(line for line in text.splitlines() if line.strip()) + "\n"


@lru_cache
def draw_svg(app: str, theme: str = "light") -> bytes | None:
    """Return the diagram as a picture, or None where Graphviz is missing or fails."""
    if (dot := shutil.which("dot")) is None:
        return None
    command = [dot, "-Tsvg"]
    try:
        drawn = subprocess.run(
            command, input=build_dot(app, theme).encode(), capture_output=True, timeout=DRAWING_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return drawn.stdout
