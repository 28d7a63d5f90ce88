"""What a notebook needs for itself: a world in which it may break everything, and pictures that everybody can read.

::

    from backout.notebooks import begin, show

    begin(rows="sample")                   # a copy of the repository, and a database, both gone with the kernel
    show(figure, "what the figure says")   # a figure of matplotlib

Whoever runs it, and however, a notebook that begins so changes nothing of the repository and reaches no real database.
"""

import atexit
import json
import os
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from backout.configuration import load_project
from backout.pages import FrontMatter, parse_page, source_form
from backout.postgres import open_server
from backout.postgres.cluster import run_folder
from backout.worlds import DisposableWorld

_WORLD = ExitStack()
atexit.register(_WORLD.close)


def begin(*, revision: str = "head", rows: Literal["sample", "none"] = "sample") -> None:
    """Give the notebook a world of its own, and enter it; called again, a fresh one.

    The working directory becomes the root of a copy of the repository. ``DATABASE_URL`` and libpq's variables name a
    new disposable database, on the server that ``BACKOUT_POSTGRES`` names, else on one that is started. Both are gone
    when the kernel ends.

    :param revision: anything that ``alembic upgrade`` takes; ``base`` is an empty database.
    :param rows: ``sample`` also loads the project's sample rows, which takes ``head``.
    :raises BackoutError: there is no server, or the chain failed.
    """
    _WORLD.close()
    environment, directory = dict(os.environ), Path.cwd()
    _WORLD.callback(os.environ.update, environment)
    _WORLD.callback(os.environ.clear)
    _WORLD.callback(os.chdir, directory)
    server = _WORLD.enter_context(open_server())
    scratch = run_folder(_WORLD) / "notebook"
    scratch.mkdir()
    page = replace(parse_page("", "the notebook"), front=FrontMatter(revision=revision, rows=rows))
    world = DisposableWorld(page, load_project(directory), server, scratch=scratch)
    _WORLD.callback(world.close)
    opened = world.open()
    # HOME stays: the kernel's own libraries keep their caches there.
    os.environ.update({name: value for name, value in opened.environment.items() if name != "HOME"})
    os.chdir(opened.cwd)
    held = f"at {revision}{' with the sample rows' if rows == 'sample' else ''}"
    print(f"PostgreSQL {server.version}: a database of its own, {held}; a copy of the repository")  # noqa: T201


def show(figure: Any, text: str) -> None:
    """Show a figure of matplotlib as an SVG.

    :param figure: a ``matplotlib.figure.Figure``.
    :param text: what it says, for those who cannot see it.
    """
    from IPython.display import display  # noqa: PLC0415 - there is one where there is a notebook
    from matplotlib import pyplot, rc_context  # noqa: PLC0415

    drawn = StringIO()
    # Text stays text. Nothing in it depends on the moment.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "backout"}):
        figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Title": text, "Date": None})
    pyplot.close(figure)
    display({"image/svg+xml": drawn.getvalue(), "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]


def save_as_source(*, model: dict[str, Any], **_: object) -> None:
    """For Jupyter's ``pre_save_hook``: a notebook is saved without its outputs.

    :param model: of the file that is saved, as Jupyter has it; changed in place.
    """
    if model["type"] == "notebook":
        model["content"] = json.loads(source_form(json.dumps(model["content"])))
