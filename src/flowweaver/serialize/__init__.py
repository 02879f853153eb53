"""What a task returns, in bytes: it comes back equal in value and exact type, or is refused."""

from flowweaver.serialize.aside import encode_without_secrets
from flowweaver.serialize.encoded import Encoded
from flowweaver.serialize.encoding import (
    decode,
    decode_trusted,
    digest_of,
    encode,
    names_in,
    preview,
)
from flowweaver.serialize.pickle_names import Home, Renamed
from flowweaver.serialize.registry import Codec, needs_signature, register
from flowweaver.serialize.shape import is_atomic
from flowweaver.serialize.signing import Signer

__all__ = [
    "Codec",
    "Encoded",
    "Home",
    "Renamed",
    "Signer",
    "decode",
    "decode_trusted",
    "digest_of",
    "encode",
    "encode_without_secrets",
    "is_atomic",
    "names_in",
    "needs_signature",
    "preview",
    "register",
]
