"""A pseudo-terminal whose screen text can be waited for."""

import os
import pty
import struct
import termios
import threading
import time
from collections.abc import Callable
from fcntl import ioctl
from types import TracebackType
from typing import Self

LIMIT_SECONDS = 120.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds; fail loudly if it never does."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


class Terminal:
    """A terminal of 100 columns: give `slave` to whoever is to write on it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self._received = b""
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.slave)
        self._reader.join(LIMIT_SECONDS)
        os.close(self.master)

    @property
    def text(self) -> str:
        """All that was written so far, control sequences included."""
        return self._received.decode(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until `text` was written."""
        try:
            wait_until(lambda: text in self.text, repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error} in {self.text!r}") from None

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the last writer has closed it
                return
            if not data:
                return
            self._received += data
