"""Parameters of the command line, read for a workflow."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from flowweaver import ParameterError, Workflow, each, task
from flowweaver.cli.parameters import read_parameters


def count(n: int):
    return n


def name(who):
    return who


def wait(n: float):
    return n


def label(n: str):
    return n


def read(*items: str, tasks=(count, name)):
    return read_parameters(items, Workflow("w", tasks).compile())


def test_a_value_is_read_as_its_taker_is_annotated():
    assert read("n=3", "who=3") == {"n": 3, "who": 3}


def test_a_value_may_hold_an_equals_sign():
    assert read("who=a=b") == {"who": "a=b"}


def test_a_value_may_be_empty():
    assert read("who=") == {"who": ""}


def test_a_value_suits_all_takers_where_it_can():
    assert read("n=3", tasks=(wait, count)) == {"n": 3}


def test_a_parameter_that_nobody_takes_is_left_for_the_run_to_refuse():
    assert read("nobody=3") == {"nobody": 3}


def test_a_file_is_read_as_json(tmp_path):
    path = tmp_path / "who.json"
    path.write_text('{"name": "Ada", "tags": [1, null]}')
    assert read(f"who=@{path}") == {"who": {"name": "Ada", "tags": [1, None]}}


def test_what_a_file_holds_becomes_what_is_annotated(tmp_path):
    def load(paths: list[Path]):
        return paths

    path = tmp_path / "paths.json"
    path.write_text('["a", "b"]')
    assert read(f"paths=@{path}", tasks=(load,)) == {"paths": [Path("a"), Path("b")]}


def test_what_is_mapped_is_read_as_a_list_of_what_is_annotated():
    @task(inputs={"path": each("paths")})
    def load(path: Path):
        return path

    assert read('paths=["a", "b"]', tasks=(load,)) == {"paths": [Path("a"), Path("b")]}


def test_two_at_signs_are_a_text_that_begins_with_one():
    assert read("who=@@ada") == {"who": "@ada"}


@pytest.mark.parametrize("item", ["n", "=3", ""])
def test_an_item_without_name_or_value_says_how_one_looks(item):
    with pytest.raises(ParameterError, match="write it as name=value"):
        read(item)


def test_a_parameter_given_twice_is_refused():
    with pytest.raises(ParameterError, match="--param n is given twice"):
        read("n=1", "n=2")


def test_a_value_that_can_not_be_read_names_parameter_task_and_type():
    with pytest.raises(ParameterError, match="Parameter 'n' of task 'count' must be int, not 'x'"):
        read("n=x")


@pytest.mark.parametrize(
    ("annotation", "text", "said"),
    [
        (list[str], "a.csv", """list[str], not 'a.csv'; write it as JSON, such as '["a", "b"]'."""),
        (Sequence[float], "5", "Sequence[float], not '5'; write it as JSON, such as '[1, 2]'."),
        (dict[str, int], "a", """dict[str, int], not 'a'; write it as JSON, such as '{"a": 1}'."""),
        (list[int], '["x"]', """list[int], not '["x"]'."""),
    ],
)
def test_who_wrote_no_json_is_told_how_it_is_written(annotation, text, said):
    def place(at):
        return at

    place.__annotations__["at"] = annotation
    with pytest.raises(ParameterError) as caught:
        read(f"at={text}", tasks=(place,))
    assert str(caught.value).endswith(f" must be {said}")


def test_a_value_of_another_shape_names_the_whole_annotation():
    def place(at: tuple[int, str]):
        return at

    said = r"Parameter 'at' of task 'place' must be tuple\[int, str\], not '\[1\]'"
    with pytest.raises(ParameterError, match=said):
        read("at=[1]", tasks=(place,))


def test_a_value_that_suits_one_taker_alone_is_left_for_the_run_to_refuse():
    assert read("n=x", tasks=(label, count)) == {"n": "x"}


def test_a_missing_file_is_named():
    with pytest.raises(ParameterError, match=r"no\.json can't be read: No such file.*who=@@"):
        read("who=@no.json")


def test_a_file_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text("{")
    with pytest.raises(ParameterError, match=r"bad\.json is not JSON"):
        read(f"who=@{path}")


def test_an_annotation_that_can_not_be_resolved_takes_nothing_from_the_others():
    def load(path: "Path", zip: "str", day: "date", frame: "pd.DataFrame" = None):  # noqa: F821
        return path

    values = read("path=a.csv", "zip=12345", "day=2024-01-31", "frame=3", tasks=(load,))
    assert values == {"path": Path("a.csv"), "zip": "12345", "day": date(2024, 1, 31), "frame": 3}
