"""The reference in docs/, written from the code.

`python -m tools.reference_docs` writes all of its pages anew in a checkout, and with them
config/mono.yaml. It needs rclpy, and no launch.
"""

from collections.abc import Callable
from pathlib import Path

from . import parameter_docs
from .api_page import api_markdown
from .command_page import command_markdown
from .launch_page import launch_markdown
from .topic_page import topic_markdown

FOLDER = Path(__file__).resolve().parents[1] / 'docs' / 'reference'

PAGES: dict[str, Callable[[], str]] = {
    'commands.md': command_markdown,
    'launch.md': launch_markdown,
    'python.md': api_markdown,
    'topics.md': topic_markdown,
}
"""File -> what writes its text. `parameters.md` is that of `tools.parameter_docs`."""


def main() -> None:
    """Write all pages."""
    parameter_docs.main()
    for name, text in PAGES.items():
        (FOLDER / name).write_text(text())


if __name__ == '__main__':
    main()
