"""A recorded program is left as it is: what it prints, how it ends, and what it starts."""

from __future__ import annotations

import signal
import sys

import pytest

from irsmith.errors import UserError
from irsmith.record.running import run
from irsmith.record.spool import Limits


def test_streams_arguments_and_status_are_the_programs_own(script, spooled, capfd):
    command = script(
        """
        import os, sys
        print("out", sys.argv[1:], os.path.basename(sys.argv[0]), [p for p in sys.path if "hook" in p])
        print("err", file=sys.stderr)
        sys.exit(7)
        """,
        "--flag",
        "a b",
    )
    status, records, notes = spooled(command)
    assert (status, records, notes) == (7, {}, {})
    assert capfd.readouterr() == ("out ['--flag', 'a b'] program.py []\n", "err\n")


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("raise ValueError('x')", 1),
        ("sys.exit('no')", 1),
        ("sys.exit()", 0),
        ("os._exit(9)", 9),
        ("os.kill(os.getpid(), 9)", 137),
        ("os.abort()", 128 + signal.SIGABRT),
    ],
)
def test_however_it_ends(script, spooled, ending, status):
    assert spooled(script(f"import os, sys\n{ending}\n"))[0] == status


def test_a_sitecustomize_of_the_users_own_runs(script, spooled, tmp_path, monkeypatch, capfd):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('mine')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    assert spooled(script("import sitecustomize; print(sitecustomize.__file__.split('/')[-2])"))[0] == 0
    assert capfd.readouterr().out == "mine\nsite\n"


def test_a_program_that_cannot_be_started_is_named(tmp_path):
    with pytest.raises(UserError, match="no-such-program: cannot be run: No such file"):
        run(["no-such-program"], tmp_path, Limits())


def test_a_request_to_terminate_reaches_the_program(script, tmp_path):
    command = script(
        """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(60)
        """
    )
    before = signal.getsignal(signal.SIGTERM)
    assert run(command, tmp_path, Limits()) == 5
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_recorder_that_fails_is_noted_and_nothing_else(script, spooled, tmp_path, monkeypatch):
    package = tmp_path / "site" / "warp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("version = 'none of ours'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    status, records, notes = spooled(script("import warp, sys; sys.exit(3 if warp.version else 4)"))
    assert (status, records) == (3, {})
    assert [note.partition(":")[0] for note in notes] == ["warp, not recorded"]


def test_python_without_an_environment_is_not_recorded(script, spooled):
    command = script("print('isolated')")
    assert spooled([sys.executable, "-I", *command[1:]]) == (0, {}, {})
