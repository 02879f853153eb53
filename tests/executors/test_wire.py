"""What goes between a run and its workers: messages on the wire, and functions in parcels."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pickle import PickleBuffer
from typing import Any

import numpy as np
import pytest

from flowweaver import Task
from flowweaver.executors._workers.packing import Packer, UnsendableError, code_mark, pack, unpack
from flowweaver.executors._workers.wire import Wire, beside
from flowweaver.serialize.shared_memory import MAPPED_FROM, SharedMemory


class TestWire:
    @pytest.fixture
    def ends(self) -> Iterator[tuple[Wire, Wire]]:
        left, right = map(Wire, socket.socketpair())
        yield left, right
        left.close()
        right.close()

    @pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 5_000_000])
    def test_bytes_of_any_size_arrive(self, ends: tuple[Wire, Wire], size: int) -> None:
        data = os.urandom(size)
        sender = threading.Thread(target=ends[0].send, args=(("x", beside(data), 1),))
        sender.start()
        kind, got, one = ends[1].receive()
        sender.join()
        assert (kind, bytes(got), one) == ("x", data, 1)

    def test_arrays_arrive_without_a_copy_on_the_way(self, ends: tuple[Wire, Wire]) -> None:
        array = np.arange(1_000_000).reshape(1000, 1000)
        data, buffers = pack({"a": array, "b": array.T})
        assert len(data) < 1000
        sender = threading.Thread(target=ends[0].send, args=(("x", (data, buffers)),))
        sender.start()
        back = unpack(ends[1].receive()[1])
        sender.join()
        assert (back["a"] == array).all()
        assert (back["b"] == array.T).all()

    @pytest.mark.parametrize("size", [MAPPED_FROM - 1, MAPPED_FROM, 20_000_000])
    def test_very_large_bytes_come_in_memory_of_their_own(
        self, ends: tuple[Wire, Wire], size: int
    ) -> None:
        sent = [memoryview(bytearray(os.urandom(each))) for each in (size, 3, 20_000, size)]
        message = tuple(PickleBuffer(part) for part in sent)
        sender = threading.Thread(target=ends[0].send, args=(message,))
        sender.start()
        got = ends[1].receive()
        sender.join()
        assert [bytes(part) for part in got] == sent
        got[0][:3] = b"new"
        assert [bytes(part) for part in got[1:]] == sent[1:]

    def test_shared_memory_goes_by_its_file_from_any_place_in_it(
        self, ends: tuple[Wire, Wire]
    ) -> None:
        room = memoryview(SharedMemory(MAPPED_FROM + 10_000))
        room[:] = os.urandom(len(room))
        ends[0].send(("x", beside(room[10_000:])))  # nothing that would fill the socket
        got = ends[1].receive()[1]
        assert bytes(got) == bytes(room[10_000:])
        got[:] = bytes(len(got))
        assert bytes(room[10_000:]) != bytes(got)

    def test_end_is_seen_by_who_waits(self, ends: tuple[Wire, Wire]) -> None:
        ends[0].shut()
        with pytest.raises(EOFError):
            ends[1].receive()

    def test_message_cut_short_is_no_message(self) -> None:
        left, right = socket.socketpair()
        left.sendall(b"\0" * 7)
        left.close()
        with pytest.raises(EOFError):
            Wire(right).receive()
        right.close()


class TestPacking:
    def test_global_that_cant_be_pickled_is_named(self) -> None:
        namespace: dict[str, Any] = {"lock": threading.Lock(), "__name__": "nowhere"}
        exec("def body():\n    return lock", namespace)
        with pytest.raises(UnsendableError, match="its global 'lock' can't be pickled"):
            Packer().pack_function(Task("t", namespace["body"]))

    def test_mark_is_that_of_the_code_alone(self) -> None:
        def make(number: int) -> Any:
            namespace: dict[str, Any] = {}
            exec(f"def f(x):\n    return [y for y in x if y in {{1, {number}}}]", namespace)
            return namespace["f"]

        assert code_mark(make(2)) == code_mark(make(2)) != code_mark(make(3))

    def test_builtin_has_a_mark(self) -> None:
        assert code_mark(len) == code_mark(sum)
