"""A task: a named function with its options, callable as the function it was made of."""

import asyncio
import copy
import functools
import inspect
import pickle
import typing
from unittest.mock import Mock

import cloudpickle
import pytest

from flowweaver import DefinitionError, Task, TaskOptions, TaskStatus, Workflow, exponential, task


@task(retries=2)
def price(amount: int, rate: float = 0.5, *, digits: int = 2) -> float:
    """Say what it costs."""
    return round(amount * rate, digits)


@task
async def fetch(url: str) -> bytes:
    """Get it."""
    return url.encode()


def plain(amount: int) -> int:
    return amount


price_again = price.with_options("price_again", retries=5)


class Join:
    """An object that can be called; unlike a function it does not become a method."""

    def __call__(self, words: list[str]) -> str:
        return ",".join(words)


class Shop:
    """Has tasks for methods."""

    def __init__(self, name: str) -> None:
        self.name = name

    @task
    def open(self, hour: int = 8) -> str:
        """Open the shop."""
        return f"{self.name} at {hour}"

    @classmethod
    @task
    def kind(cls) -> str:
        return cls.__name__

    @task
    @staticmethod
    def motto(word: str) -> str:
        return word

    join = task("join")(Join())


class TestStaysItsFunction:
    def test_calls_give_what_the_function_gives(self) -> None:
        assert price(3) == 1.5
        assert price(3, rate=1.0, digits=0) == 3.0

    def test_async_function_stays_awaitable(self) -> None:
        assert asyncio.run(fetch("x")) == b"x"

    def test_signature_is_the_functions(self) -> None:
        assert str(inspect.signature(price)) == (
            "(amount: int, rate: float = 0.5, *, digits: int = 2) -> float"
        )

    def test_type_hints_are_the_functions(self) -> None:
        assert typing.get_type_hints(price) == {
            "amount": int,
            "rate": float,
            "digits": int,
            "return": float,
        }

    def test_docstring_name_and_module_are_the_functions(self) -> None:
        assert price.__doc__ == "Say what it costs."
        assert (price.__name__, price.__qualname__, price.__module__) == (
            "price",
            "price",
            __name__,
        )

    def test_defaults_are_the_functions(self) -> None:
        assert price.__defaults__ == (0.5,)
        assert price.__kwdefaults__ == {"digits": 2}

    def test_original_function_is_at_hand(self) -> None:
        assert inspect.isfunction(price.fn)
        assert inspect.unwrap(price) is price.fn

    @pytest.mark.parametrize("wrong", [(), (1, 2, 3), ("x", "y", "z", "a")])
    def test_wrong_arguments_raise_the_functions_own_type_error(self, wrong: tuple) -> None:
        with pytest.raises(TypeError, match=r"price\(\)|can't multiply"):
            price(*wrong)

    def test_decorator_without_arguments_and_with_empty_parentheses_are_alike(self) -> None:
        bare, called = task(plain), task()(plain)
        assert (
            (bare.name, bare.options) == (called.name, called.options) == ("plain", TaskOptions())
        )

    def test_decorated_name_can_be_given(self) -> None:
        assert task("any name at all")(plain).name == "any name at all"

    def test_attributes_set_on_the_function_are_there(self) -> None:
        def tagged() -> None: ...

        tagged.owner = "me"
        assert task(tagged).owner == "me"


class TestMethods:
    def test_bound_task_is_called_with_its_instance(self) -> None:
        assert Shop("here").open(9) == "here at 9"

    def test_bound_task_has_a_signature_without_self(self) -> None:
        assert str(inspect.signature(Shop("here").open)) == "(hour: int = 8) -> str"

    def test_bound_tasks_of_two_instances_are_apart(self) -> None:
        one, other = Shop("one").open, Shop("other").open
        assert (one(), other()) == ("one at 8", "other at 8")

    def test_bound_task_keeps_name_options_and_docstring(self) -> None:
        bound = Shop("here").open
        assert (bound.name, bound.options, bound.__doc__) == (
            "open",
            Shop.open.options,
            "Open the shop.",
        )

    def test_task_on_the_class_takes_the_instance(self) -> None:
        assert Shop.open(Shop("there"), 7) == "there at 7"

    def test_class_and_static_methods_work(self) -> None:
        assert Shop.kind() == Shop("x").kind() == "Shop"
        assert Shop.motto("w") == Shop("x").motto("w") == "w"

    def test_what_does_not_bind_as_a_class_attribute_does_not_bind_as_a_task(self) -> None:
        assert Shop("x").join(["a", "b"]) == "a,b"


class TestWhatCanBeATask:
    def test_partial_is_named_after_its_function(self) -> None:
        assert task(functools.partial(plain, amount=3)).name == "plain"

    def test_lambda(self) -> None:
        assert Task("double", lambda amount: amount * 2)(4) == 8

    def test_bound_method(self) -> None:
        assert task([3, 1].copy)() == [3, 1]

    def test_callable_object_is_named_after_its_class(self) -> None:
        class Adder:
            def __call__(self, amount: int) -> int:
                return amount + 1

        adder = task(Adder())
        assert (adder.name, adder(1)) == ("Adder", 2)

    def test_class(self) -> None:
        assert isinstance(task(Shop)("x"), Shop)

    def test_builtin(self) -> None:
        assert task(max)(1, 2) == 2

    def test_mock_of_a_users_test(self) -> None:
        assert task(Mock(return_value=5))() == 5

    def test_task_of_a_task_is_of_the_same_function_with_options_of_its_own(self) -> None:
        again = Task("again", price)
        assert again.fn is price.fn
        assert again.options == TaskOptions()

    def test_async_is_seen_through_partials_methods_and_callable_objects(self) -> None:
        class Waiter:
            async def __call__(self) -> None: ...

            async def method(self) -> None: ...

        async def wait(seconds: int) -> None: ...

        functions = [wait, functools.partial(wait, 3), Waiter(), Waiter().method]
        assert [Task("t", fn).is_async() for fn in functions] == [True] * 4
        assert not Task("t", plain).is_async()


class TestRefused:
    @pytest.mark.parametrize("not_callable", [None, 3, "text", [plain], object()])
    def test_non_callable_is_named(self, not_callable: object) -> None:
        with pytest.raises(DefinitionError, match=r"Task 'load': .* is not callable"):
            Task("load", not_callable)

    def test_generator_functions_are_refused_however_wrapped(self) -> None:
        def generate() -> typing.Iterator[int]:
            yield 1

        async def generate_async() -> typing.AsyncIterator[int]:
            yield 1

        class Generates:
            def __call__(self) -> typing.Iterator[int]:
                yield 1

        for fn in (generate, generate_async, functools.partial(generate), Generates()):
            with pytest.raises(DefinitionError, match=r"Task 'rows': .*generator.* list"):
                Task("rows", fn)

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            "a\0b",
            "two\nlines",
            "\x1b[31mred",
            "a\u202eb",
            "a\u200fb",
            "\u2028",
            "\ud800",
            "x" * 256,
            "x" * 10_000,
            None,
            3,
            b"bytes",
        ],
        ids=lambda name: repr(name)[:12],
    )
    def test_unfit_name_is_refused_and_shown_harmlessly(self, name: object) -> None:
        with pytest.raises(DefinitionError, match="A task's name") as raised:
            Task(name, plain)
        message = str(raised.value)
        assert message.isprintable()
        assert len(message) < 200

    @pytest.mark.parametrize(
        "name",
        [
            "x" * 255,
            "../../x",
            "C:\\x",
            "a/b",
            "🎉",
            "with space",
            "<img src=x onerror=alert(1)>",
            '"]; click A "javascript:alert(1)"',
            "__proto__",
            "'; DROP TABLE runs; --",
            "%s {0} ${x}",
            "class",
            "名前",
        ],
        ids=lambda name: name[:12],
    )
    def test_odd_printable_name_is_kept_as_it_is(self, name: str) -> None:
        assert Task(name, plain).name == name

    def test_name_is_kept_in_its_composed_form(self) -> None:
        assert Task("e\u0301", plain).name == "\xe9"

    def test_unknown_option_is_named_with_near_matches(self) -> None:
        with pytest.raises(DefinitionError, match=r"^Task 'plain'.*'retry'; did you mean.*retries"):
            task(retry=3)(plain)

    def test_empty_name_in_the_decorator_is_refused(self) -> None:
        with pytest.raises(DefinitionError, match="A task's name"):
            task("")(plain)


class TestOptions:
    def test_options_are_those_given(self) -> None:
        made = Task("t", plain, 3, 4.5, backoff=exponential(), version="2")
        options = made.options
        assert (options.retries, options.timeout, options.version) == (3, 4.5, "2")
        assert options.backoff == exponential()

    def test_with_options_changes_only_what_is_given(self) -> None:
        changed = price.with_options(timeout=3)
        assert (changed.name, changed.options.retries, changed.options.timeout) == ("price", 2, 3.0)
        assert price.options.timeout is None

    def test_with_options_is_still_the_function(self) -> None:
        assert price_again(3) == 1.5
        assert inspect.signature(price_again) == inspect.signature(price)

    def test_name_function_and_options_cant_be_set(self) -> None:
        for attribute in ("name", "fn", "options"):
            with pytest.raises(AttributeError):
                setattr(price, attribute, None)

    def test_fresh_task_is_pending_without_result_or_error(self) -> None:
        fresh = Task("t", plain)
        assert (fresh.status, fresh.result, fresh.error) == (TaskStatus.PENDING, None, None)

    def test_task_shows_its_name(self) -> None:
        assert repr(price) == "<Task 'price'>"


@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
class TestPickling:
    def test_task_of_a_module_comes_back_as_itself(self, pickler: typing.Any) -> None:
        assert pickle.loads(pickler.dumps(price)) is price

    def test_derived_task_comes_back_equal(self, pickler: typing.Any) -> None:
        back = pickle.loads(pickler.dumps(price_again))
        assert (back.name, back.options, back.fn) == (
            "price_again",
            price_again.options,
            price.fn,
        )
        assert inspect.signature(back) == inspect.signature(price)

    def test_task_of_an_undecorated_function_comes_back_equal(self, pickler: typing.Any) -> None:
        back = pickle.loads(pickler.dumps(Task("t", plain, retries=1)))
        assert (back.name, back.fn, back.options.retries) == ("t", plain, 1)

    def test_bound_task_comes_back_with_its_instance(self, pickler: typing.Any) -> None:
        back = pickle.loads(pickler.dumps(Shop("far").open))
        assert back(3) == "far at 3"
        assert str(inspect.signature(back)) == "(hour: int = 8) -> str"

    def test_task_that_is_gone_is_an_error_when_it_is_loaded(
        self, pickler: typing.Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = pickler.dumps(price)
        monkeypatch.delattr(f"{__name__}.price")
        with pytest.raises(AttributeError, match="price"):
            pickle.loads(data)


class TestCopies:
    def test_task_of_a_local_function_goes_through_cloudpickle(self) -> None:
        @task(retries=1)
        def local(amount: int = 4) -> int:
            """Be local."""
            return amount

        back = pickle.loads(cloudpickle.dumps(local))
        assert (back(), back.name, back.options.retries) == (4, "local", 1)
        assert (back.__doc__, str(inspect.signature(back))) == (
            "Be local.",
            "(amount: int = 4) -> int",
        )

    def test_copies_are_tasks_of_the_same_function(self) -> None:
        local = Task("local", lambda: 5, retries=2)
        for twin in (copy.copy(local), copy.deepcopy(local)):
            assert (twin.name, twin(), twin.options) == ("local", 5, local.options)

    def test_copies_of_a_modules_task_are_itself_as_with_functions(self) -> None:
        assert copy.copy(price) is copy.deepcopy(price) is price


def test_one_function_serves_under_two_names_in_one_workflow() -> None:
    twice = Workflow("twice", [Task("first", plain), Task("second", plain)])
    assert list(twice.get_all_tasks()) == ["first", "second"]
