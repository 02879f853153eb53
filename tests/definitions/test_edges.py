"""What a task waits for: marks on inputs, names of dependencies."""

import pytest

from flowweaver import DefinitionError, Task, each
from flowweaver.definitions.edges import Each


class TestEach:
    def test_marks_a_source(self) -> None:
        assert each("pages") == Each("pages", 1)

    def test_of_each_goes_a_level_deeper(self) -> None:
        assert each(each(each("pages"))) == Each("pages", 3)

    @pytest.mark.parametrize("wrong", [None, 3, ["pages"]], ids=repr)
    def test_of_anything_else_is_refused(self, wrong: object) -> None:
        with pytest.raises(DefinitionError, match="each"):
            each(wrong)


class TestGivenToATask:
    def test_names_that_look_alike_are_alike(self) -> None:
        made = Task("t", len, depends_on=["caf\u0065\u0301"], inputs={"x": "caf\u0065\u0301"})
        assert (made.depends_on, made.inputs) == (("caf\u00e9",), {"x": "caf\u00e9"})

    @pytest.mark.parametrize(
        ("option", "wrong"),
        [("depends_on", v) for v in (3, [3], [None])]
        + [("inputs", v) for v in (3, ["a"], {"x": 3}, {3: "a"}, "a")],
        ids=str,
    )
    def test_what_is_no_name_is_refused_by_name(self, option: str, wrong: object) -> None:
        with pytest.raises(DefinitionError, match=rf"^Task 't': {option} .* not .*\.$"):
            Task("t", len, **{option: wrong})
