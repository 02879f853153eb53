"""What a type checker says of a user's code."""

from pathlib import Path

import pytest
from mypy import api

import flowweaver

USER_CODE = Path(__file__).with_name("user_code.py")
SETTINGS = Path(__file__).with_name("mypy.ini")


def checked(code: Path, cache: Path) -> str:
    """Return what mypy says about a file under `--strict`."""
    said, failed, _ = api.run([f"--config-file={SETTINGS}", f"--cache-dir={cache}", str(code)])
    assert not failed, failed
    return said


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def test_users_code_has_the_types_it_says_and_the_errors_it_marks(cache: Path) -> None:
    assert checked(USER_CODE, cache) == ""


def test_marked_errors_are_found(cache: Path, tmp_path: Path) -> None:
    lines = USER_CODE.read_text().splitlines()
    unmarked = tmp_path / "user_code.py"
    unmarked.write_text("\n".join(line.partition("  # type: ignore")[0] for line in lines))
    marked = [n for n, line in enumerate(lines, 1) if "# type: ignore" in line]
    errors = [line for line in checked(unmarked, cache).splitlines() if ": error: " in line]
    assert [int(error.split(":")[1]) for error in errors] == marked


def test_every_public_name_has_a_type(cache: Path, tmp_path: Path) -> None:
    code = tmp_path / "names.py"
    listed = "\n".join(
        f"from flowweaver import {name} as x{n}" for n, name in enumerate(flowweaver.__all__)
    )
    code.write_text(listed)
    assert checked(code, cache) == ""
