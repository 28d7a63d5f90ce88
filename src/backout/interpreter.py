"""The Python process of a page: runs one block after another in one namespace.

Started as a script by ``sessions``, in the project's interpreter; imports only the standard
library. Orders come as JSON lines on standard input, answers go to standard output:

    {"path": file with the code, "name": page, "line": first line of the code in the page}
    {"status": "0" or the exception's qualified name, "lines": lines of the page, the innermost call last}

What the code prints, and a traceback, go to the file that the first argument names.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def main(terminal: str) -> None:
    """Serve orders until the pipe closes."""
    orders, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    printed = os.open(terminal, os.O_WRONLY | os.O_APPEND)
    for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, printed), (2, printed)):
        os.dup2(source, target)
    sys.path[0] = ""  # as where a reader types the blocks; not the directory of this file and its neighbours
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for order in orders:
        answers.write(json.dumps(_run(namespace, **json.loads(order))) + "\n")
        answers.flush()


def _run(namespace: dict[str, Any], path: str, name: str, line: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": "0", "lines": []}
    try:
        # Empty lines before the code make the interpreter count as the page does.
        code = "\n" * (line - 1) + Path(path).read_text(encoding="utf-8")
        exec(compile(code, name, "exec", dont_inherit=True), namespace)  # noqa: S102 - this is its job
    except BaseException as error:  # also SystemExit: the page said it, the page is told
        frames = traceback.extract_tb(error.__traceback__)
        answer["lines"] = [frame.lineno for frame in frames if frame.filename == name]
        if isinstance(error, SyntaxError) and error.filename == name:
            answer["lines"].append(error.lineno)
        kind = type(error)
        answer["status"] = kind.__qualname__
        ours = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(kind, error, ours)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return answer


if __name__ == "__main__":
    main(sys.argv[1])
