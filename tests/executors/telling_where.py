"""What Dask workers load first: where their threads are is told now and then, for tests that hang.

A test that hangs shows it among what was captured; its own threads pytest-timeout shows.
"""

import faulthandler

SECONDS = 200

faulthandler.dump_traceback_later(SECONDS, repeat=True)
