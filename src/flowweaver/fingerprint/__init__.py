"""The fingerprint of a callable's meaning: cosmetic edits keep it, every real one changes it.

From the inside out: `scopes`, `tidy` and `special` let `canonical` write syntax in a form that
only its meaning changes, and `outlines` does so for whole definitions. `sources` finds the syntax
that loaded code was compiled from, `bindings` and `modules` what the names of a file mean. `live`,
`static`, `resolve` and `renames` go from names to `things`, `describe` and `classes` look into
these, and `reach` follows them all. `effects`, with `acted_on`, and `imported` find what modules do
to others when they are loaded. `cache` keeps the outcome. `named` and `programs` are asked while a
body runs: what code that is found in data means, and which files a program loads. Each name is
imported when it is first asked for: a worker asks whose a file is, and nothing else.
"""

from typing import TYPE_CHECKING

from flowweaver.lazy import lazy

if TYPE_CHECKING:
    from flowweaver.fingerprint.cache import fingerprint_callable, forget_values, settle_values
    from flowweaver.fingerprint.parts import (
        CodeFingerprint,
        CodePart,
        PartChange,
        Unseen,
        changed_parts,
        diff_parts,
    )
else:
    __getattr__ = lazy(
        __name__,
        {
            "fingerprint.cache": ("fingerprint_callable", "forget_values", "settle_values"),
            "fingerprint.parts": (
                "CodeFingerprint",
                "CodePart",
                "PartChange",
                "Unseen",
                "changed_parts",
                "diff_parts",
            ),
        },
    )

__all__ = [
    "CodeFingerprint",
    "CodePart",
    "PartChange",
    "Unseen",
    "changed_parts",
    "diff_parts",
    "fingerprint_callable",
    "forget_values",
    "settle_values",
]
