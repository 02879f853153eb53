"""The files behind values that read them once they are used: lazy frames, datasets, mapped arrays.

Where that is done in C++ or Rust, it is not heard.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from contextlib import suppress
from glob import has_magic
from typing import Any

from flowweaver.engine.body.pathlike import looks_like_path
from flowweaver.fingerprint.kinds import module_of

# A byte before a text says how long it is, and may itself look like a letter.
_LENGTHS = 2
# Compiled once they are needed, which is seldom.
_EXPRESSION = r"[\\()|+$^]|\.\*"
_RUN = rb"[^\x00-\x1f\x7f]{3,}"


def reads_later(value: object) -> bool:
    """Whether a value reads files that it was made for once it is used."""
    kind = type(value)
    library, _, rest = module_of(kind).partition(".")
    return (
        (library == "polars" and kind.__name__ == "LazyFrame")
        or (library == "pyarrow" and rest == "_dataset")
        or (library == "numpy" and kind.__name__ == "memmap")
    )


def places_of(value: Any) -> Iterator[str]:
    """Yield what may be the files, folders and patterns of files that a value reads later.

    Neither polars nor pyarrow says what a value reads as it was written, with its patterns. But
    they pickle it, and in the pickle (of polars 1.20 and later) stand the paths as they are.
    """
    with suppress(Exception):  # what can't be pickled, or is closed by now
        if type(value).__name__ == "memmap":
            yield str(value.filename)
            return
        for run in re.findall(_RUN, pickle.dumps(value, 5)):
            for text in run.decode("utf-8", "replace").split("\ufffd"):
                yield from filter(_may_be_place, (text[skipped:] for skipped in range(_LENGTHS)))


def _may_be_place(text: str) -> bool:
    return looks_like_path(text) and not (has_magic(text) and re.search(_EXPRESSION, text))
