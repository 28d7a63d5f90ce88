"""The gate on this repository's own chain: evidence, docstrings, waivers and matrix, measured again on this server."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from backout.cli import main
from backout.postgres import Server

ROOT = Path(__file__).parents[1]


def test_the_chain_is_what_its_evidence_says(backout_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(main, ["check", "--postgres", backout_server.handle()])
    assert (done.exit_code, done.stdout) == (
        0,
        "28 revisions: the evidence is what was measured, and the docstrings say it\n",
    ), done.output
