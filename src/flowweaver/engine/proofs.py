"""What proves stored bytes to be ours before they are trusted: a signature, made for one place."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from flowweaver.records import TaskRecord
from flowweaver.serialize import Encoded, Home, Signer, needs_signature
from flowweaver.state_store import StateStore


class Proof(NamedTuple):
    """The signature of a result, the place that it was signed for, and what finds its classes."""

    signature: str | None
    place: str
    home: Home | None = None


NO_PROOF = Proof(None, "")
"""For results that can run no code, and for those that earlier versions signed for any place."""

PARAMETER = Proof(None, "parameter")
"""For parameters, whose signature stands beside their value."""


def place_of(workflow: str, run_id: str, task: str, element: str) -> str:
    """Return the place that the result of a TaskRun is signed for: `run_id` is who executed it."""
    return json.dumps([workflow, run_id, task, element])


def proof_of(workflow: str, record: TaskRecord, home: Home | None = None) -> Proof:
    """Return what proves the result of a TaskRun to be ours."""
    run_id = record.source_run or record.run_id
    return Proof(record.signature, place_of(workflow, run_id, record.task, record.element), home)


def load(store: StateStore, signer: Signer, digest: str, proof: Proof = NO_PROOF) -> Any:
    """Return a stored value; its signature is checked before its bytes are trusted."""
    record = store.result(digest)
    signature = proof.signature or record.signature
    return signer.decode(record.encoded, signature, proof.place, proof.home)


def signature_of(encoded: Encoded, signer: Signer) -> str | None:
    """Return the signature of a parameter's value; None where its bytes can't run code."""
    return signer.sign(encoded, PARAMETER.place) if needs_signature(encoded.codec) else None
