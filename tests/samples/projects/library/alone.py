"""For the tests, by --hooks: fails in an interpreter in which backout is imported, or could be."""

import importlib.util
import sys
from contextlib import nullcontext


def around_step(revision, direction):
    found = [name for name in sys.modules if name.partition(".")[0] == "backout"]
    if found or importlib.util.find_spec("backout") is not None:
        raise RuntimeError("backout is in this interpreter: " + (", ".join(found) or "not imported"))
    return nullcontext()
