"""A notebook as a page: its source form, and that as Markdown with the same lines.

A notebook in the repository is in *source form*: no outputs, nothing that says who ran it where, laid out as
``nbformat`` writes it. So a difference shows what was changed, and the lines of its cells are known: whoever is told
``x.ipynb:57`` finds it there.

What a notebook asks for stands in its metadata, under ``backout``, as front matter does on a page. Pure; found in
``pages``, which parses the Markdown.
"""

import json
from collections.abc import Iterator
from typing import Any

from backout.pages.markup import Fence, blocks

SUFFIX = ".ipynb"
_FENCE = "`" * 12  # longer than any that a cell may hold
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_SOURCE = '   "source": ['


def source_form(text: str) -> str:
    """A notebook as it is committed: without outputs, and with nothing that another run would change.

    :param text: JSON of nbformat 4.
    :raises ValueError: it is none.
    """
    try:
        notebook = json.loads(text)
        if notebook["nbformat"] != 4:
            raise ValueError(f"it is of nbformat {notebook['nbformat']}, not 4")
        front = notebook["metadata"].get("backout", {})
        cells = [_cell(cell) for cell in notebook["cells"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no notebook of nbformat 4.5: {error!r}") from error
    plain = {
        "cells": cells,
        "metadata": {"backout": front, "kernelspec": _KERNEL},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    source = "".join(cell["source"])
    tags = cell["metadata"].get("tags")
    return {
        "cell_type": cell["cell_type"],
        "id": cell["id"],
        "metadata": {"tags": tags} if tags else {},
        "source": _lines(source.replace("\r\n", "\n")),
        **({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {}),
    }


def _lines(source: str) -> list[str]:
    """Lines as ``nbformat`` splits them, but at line feeds alone: one line of the file for one of the cell."""
    pieces = source.split("\n")
    return [piece + "\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def markdown(form: str) -> str:
    """A notebook in source form as Markdown: each line of a cell stands on the line of the file that holds it."""
    notebook = json.loads(form)
    lines = [""] * form.count("\n")
    # The first cell's first line is the seventh.
    lines[:3] = "---", json.dumps(notebook["metadata"]["backout"], ensure_ascii=False), "---"
    for cell, start in _placed(form):
        texts = [line.rstrip("\n") for line in cell["source"]]
        lines[start + 1 : start + 1 + len(texts)] = texts
        if cell["cell_type"] == "code" and texts:
            lines[start], lines[start + 1 + len(texts)] = f"{_FENCE}python", _FENCE
    return "\n".join(lines) + "\n"


def problems(form: str) -> Iterator[tuple[int, str]]:
    """What is wrong with the cells of a notebook in source form: line of the file, and message."""
    for cell, start in _placed(form):
        if not "".join(cell["source"]).strip():
            yield start + 1, "this cell is empty; delete it"
        elif cell["cell_type"] == "raw":
            yield start + 1, "this cell is raw, so nobody runs it and nobody sees it; make it code or Markdown"
        elif cell["cell_type"] == "markdown":
            for block in blocks("".join(cell["source"])):
                if isinstance(block, Fence):
                    told = "this block would be shown and never run; make it a cell of its own"
                    yield start + 1 + block.line, told


def _placed(form: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Each cell with the index of the line of the file on which its source begins."""
    starts = [number for number, line in enumerate(form.split("\n")) if line.startswith(_SOURCE)]
    yield from zip(json.loads(form)["cells"], starts, strict=True)
