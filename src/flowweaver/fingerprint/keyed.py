"""Digest what live objects hold with a key, so that a store does not tell what it was.

The key is made of the one that signs pickles, which is kept outside of every store.
"""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import blake2b

from flowweaver.errors import StoreError
from flowweaver.serialize.keyfile import load_key

_NAMES = ("FLOWWEAVER_KEY", "FLOWWEAVER_KEY_FILE", "XDG_CONFIG_HOME", "HOME")


def keyed_digest(digest: str) -> str:
    """Return the digest of a digest under this user's key; "" if there can be no key."""
    key = _key()
    if key is None:
        return ""
    return blake2b(digest.encode(), digest_size=16, key=key, person=b"flowweaver live").hexdigest()


def key_mark() -> str:
    """Return what tells this key from others, and nothing else of it; "" if there can be none."""
    key = _key()
    if key is None:
        return ""
    return blake2b(b"", digest_size=4, key=key, person=b"flowweaver mark").hexdigest()


def _key() -> bytes | None:
    return _derived(tuple(os.environ.get(name) for name in _NAMES))


@lru_cache(maxsize=8)
def _derived(_environment: tuple[str | None, ...]) -> bytes | None:
    try:
        return blake2b(load_key(), digest_size=32).digest()
    except StoreError:
        return None
