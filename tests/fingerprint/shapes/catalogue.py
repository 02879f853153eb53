"""All shapes of things that a body can reach."""

from __future__ import annotations

from tests.fingerprint.shapes.in_annotations import ANNOTATIONS
from tests.fingerprint.shapes.in_attacks import ATTACKS
from tests.fingerprint.shapes.in_bodies import LOADED_IN_BODY
from tests.fingerprint.shapes.in_classes import CLASSES
from tests.fingerprint.shapes.in_delayed import DELAYED
from tests.fingerprint.shapes.in_effect_attacks import EFFECT_ATTACKS
from tests.fingerprint.shapes.in_effects import EFFECTS
from tests.fingerprint.shapes.in_fields import FIELDS, REGISTRIES
from tests.fingerprint.shapes.in_functions import CLOSURES, FUNCTIONS, IMPORTS
from tests.fingerprint.shapes.in_harmless import HARMLESS
from tests.fingerprint.shapes.in_imports import LOOKED_FOR
from tests.fingerprint.shapes.in_libraries import LIBRARIES
from tests.fingerprint.shapes.in_library_attacks import LIBRARY_ATTACKS
from tests.fingerprint.shapes.in_members import MEMBERS
from tests.fingerprint.shapes.in_modules import IN_C, MODULES
from tests.fingerprint.shapes.in_objects import CONTAINERS, VALUES
from tests.fingerprint.shapes.in_ourselves import OURSELVES
from tests.fingerprint.shapes.in_registries import HANDED_OVER
from tests.fingerprint.shapes.in_renames import RENAMES
from tests.fingerprint.shapes.in_setting_attacks import SETTING_ATTACKS
from tests.fingerprint.shapes.in_settings import SETTINGS
from tests.fingerprint.shapes.in_texts import TEXTS
from tests.fingerprint.shapes.in_wrappers import WRAPPERS
from tests.fingerprint.shapes.shape import Shape

SHAPES: tuple[Shape, ...] = (
    *FUNCTIONS,
    *CLOSURES,
    *IMPORTS,
    *WRAPPERS,
    *CLASSES,
    *FIELDS,
    *REGISTRIES,
    *CONTAINERS,
    *VALUES,
    *MODULES,
    *IN_C,
    *ATTACKS,
    *LIBRARY_ATTACKS,
    *LIBRARIES,
    *OURSELVES,
    *HANDED_OVER,
    *LOOKED_FOR,
    *TEXTS,
    *ANNOTATIONS,
    *LOADED_IN_BODY,
    *EFFECTS,
    *SETTINGS,
    *RENAMES,
    *MEMBERS,
    *DELAYED,
    *EFFECT_ATTACKS,
    *SETTING_ATTACKS,
    *HARMLESS,
)
