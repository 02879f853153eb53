"""Records as the columns that all SQL stores have, and back."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from flowweaver.records import AttemptRecord, RunRecord, TaskRecord
from flowweaver.stores.common import columns
from flowweaver.stores.common.columns import digest_of, key_of


def names(record: type) -> list[str]:
    return [field.name for field in fields(record)]


def test_columns_are_the_fields_of_the_records() -> None:
    assert list(columns.RUN) == names(RunRecord)
    rare = [
        "files",
        "signature",
        "cause",
        "likeness",
        "elements",
        "label",
        "seen",
    ]  # all in the column "more"
    *first, more, last = columns.TASK
    assert ["run_id", *first, *rare, last] == names(TaskRecord)
    assert more == "more"
    assert ["run_id", *columns.ATTEMPT] == names(AttemptRecord)


@given(st.text(max_size=8) | st.binary(max_size=8).map(bytes.hex))
def test_digest_comes_back(digest: str) -> None:
    assert digest_of(key_of(digest)) == digest
