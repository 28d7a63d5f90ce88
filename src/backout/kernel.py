"""The process that runs the code cells of one notebook, one after another, in a Jupyter kernel.

Started as a script by ``sessions``, as ``interpreter`` is; imports nothing of backout, and needs ``nbclient`` and
``ipykernel``. Orders come as lines on standard input, each for the next code cell; answers go to standard output:

    {"status": "0" or the exception's name, "line": line of the cell on which it was raised, or null}

What a cell prints, and a traceback, go to the file that the first argument names. The notebook, the second, is written
again after each cell, with its outputs.
"""

import json
import os
import re
import sys
import warnings
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Before Jupyter is imported: it speaks of its own affairs on standard error otherwise.
_QUIET = {"JUPYTER_PLATFORM_DIRS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def main(terminal: str, notebook: str) -> None:
    """Serve orders until the pipe closes."""
    orders, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    printed = os.open(terminal, os.O_WRONLY | os.O_APPEND)
    for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, printed), (2, printed)):
        os.dup2(source, target)
    sys.path[0] = ""  # not the directory of this file and its neighbours
    os.environ.update(_QUIET)
    warnings.simplefilter("ignore")  # of Jupyter's own libraries; the kernel has filters of its own
    try:
        import nbformat  # noqa: PLC0415 - the reader of a page without notebooks need not have it
        from nbclient import NotebookClient  # noqa: PLC0415
        from nbclient.exceptions import DeadKernelError  # noqa: PLC0415
    except ImportError as error:
        sys.exit(f"error: {error}; notebooks are run by nbclient: pip install 'backout[notebooks]'")
    document = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(document, kernel_name="python3", allow_errors=True, record_timing=False)
    client.coalesce_streams = True
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]  # it warns of its own sockets
    code = [index for index, cell in enumerate(document.cells) if cell.cell_type == "code"]
    with client.setup_kernel(cwd=os.getcwd()):  # noqa: PTH109
        for number, _ in enumerate(orders, start=1):
            cell = document.cells[code[number - 1]]
            try:
                client.execute_cell(cell, code[number - 1], execution_count=number)
            except DeadKernelError:
                sys.exit("error: the cell ended the kernel itself")
            nbformat.write(document, notebook)  # type: ignore[no-untyped-call]
            answers.write(json.dumps(_answer(cell.outputs, number)) + "\n")
            answers.flush()


def _answer(outputs: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """Print what the cell has printed; what became of it."""
    answer: dict[str, Any] = {"status": "0", "line": None}
    for output in outputs:
        if output["output_type"] == "stream":
            sys.stdout.write(output["text"])
        elif output["output_type"] == "error":
            told = _COLOUR.sub("", "\n".join(output["traceback"]))
            lines = re.findall(rf"Cell In\[{number}\], line (\d+)", told)
            answer = {"status": output["ename"], "line": int(lines[-1]) if lines else None}
            sys.stdout.write(told + "\n")
    sys.stdout.flush()
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])
