"""Runs that work side by side share the cores."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from resources.errors import UserError
from resources.machine.core_locks import taken_cores
from resources.machine.cores import usable_cores

HOLDER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from resources.machine.core_locks import taken_cores
    with taken_cores(Path(sys.argv[1]), 1000) as cores:
        print(cores, flush=True)
        time.sleep(60)
    """
)


def test_a_run_takes_what_others_leave(tmp_path: Path) -> None:
    with taken_cores(tmp_path, 1) as first, taken_cores(tmp_path, 1000) as second:
        assert first == 1
        assert second == usable_cores() - 1
        with taken_cores(tmp_path, 1000) as third:
            assert third == 0
    with taken_cores(tmp_path, 1000) as all_of_them:
        assert all_of_them == usable_cores()


def test_what_a_killed_run_had_is_free_again(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert int(holder.stdout.readline()) == usable_cores()
        with taken_cores(tmp_path, 1) as while_held:
            assert while_held == 0
        holder.kill()
    with taken_cores(tmp_path, 1) as afterwards:
        assert afterwards == 1


def test_a_home_that_cannot_be_written_to_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cores").write_text("in the way")
    with pytest.raises(UserError, match="set MOODSEARCH_HOME"), taken_cores(tmp_path, 1):
        pass
