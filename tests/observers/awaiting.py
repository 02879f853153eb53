"""An executor whose tasks wait for workers at first."""

from flowweaver import SequentialExecutor
from flowweaver.plugins import Backend, Host


class LongAwaited(SequentialExecutor):
    def open_backend(self, host: Host) -> Backend:
        host.waiting("The pool is empty: start a worker.")
        return super().open_backend(host)
