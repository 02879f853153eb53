"""What is printed while a display is on the screen."""

import sys
import threading
from io import StringIO

import pytest

from flowweaver.observers.above import LineSplitter, terminal_output_taken
from flowweaver.observers.live import LiveProgress
from tests.observers.terminal import Terminal


class TerminalStream(StringIO):
    """A stream that says that it is a terminal's."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def lines() -> list[str]:
    return []


def test_whole_lines_are_handed_on(lines):
    splitter = LineSplitter(StringIO(), lines.extend)
    splitter.write("one\ntw")
    splitter.write("o\nthree")
    assert lines == ["one", "two"]


def test_a_line_that_never_ends_is_handed_on_at_the_end(lines):
    splitter = LineSplitter(StringIO(), lines.extend)
    splitter.write("begun")
    splitter.finish()
    splitter.finish()
    assert lines == ["begun"]


def test_lines_of_two_threads_are_not_mixed(lines):
    splitter = LineSplitter(StringIO(), lines.extend)
    splitter.write("from ")
    other = threading.Thread(target=splitter.write, args=("other\n",))
    other.start()
    other.join()
    splitter.write("here\n")
    assert lines == ["other", "from here"]


def test_print_and_writelines_work_on_it(lines):
    splitter = LineSplitter(StringIO(), lines.extend)
    print("a", "b", file=splitter, flush=True)
    splitter.writelines(["c\n", "d\n"])
    assert lines == ["a b", "c", "d"]


def test_all_else_is_as_with_the_stream_it_stands_for(lines):
    stream = TerminalStream()
    assert LineSplitter(stream, lines.extend).isatty()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_goes_to_a_terminal_is_taken_and_given_back(lines, monkeypatch, name):
    stream = TerminalStream()
    monkeypatch.setattr(sys, name, stream)
    with terminal_output_taken(lines.extend):
        print("taken", file=getattr(sys, name))
    print("not taken", file=getattr(sys, name))
    assert (lines, stream.getvalue()) == (["taken"], "not taken\n")


def test_what_goes_to_a_file_is_left_alone(lines, monkeypatch):
    stream = StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with terminal_output_taken(lines.extend):
        print("to the file")
    assert (lines, stream.getvalue()) == ([], "to the file\n")


def test_nothing_that_was_printed_is_lost_without_a_run(monkeypatch):
    with Terminal() as terminal:
        with open(terminal.slave, "w", closefd=False) as stream:
            monkeypatch.setattr(sys, "stdout", stream)
            with LiveProgress(stream):
                for number in range(3_000):
                    print("line", number)
                print("unfinished", end="")
        terminal.wait_for("unfinished")
    printed = terminal.text.split("\r\n")
    assert printed[:3_000] == [f"line {number}" for number in range(3_000)]
