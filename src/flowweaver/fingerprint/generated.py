"""What generators of code put into classes, which follows from what it was generated from.

A dataclass's `__init__` says nothing that its fields do not. Some of what is generated can't even
be compared: it has addresses or salted hashes in it, or is different under each Python version.
"""

from __future__ import annotations

from types import FunctionType

# The file that a generator says its functions are from, and the generator's top-level module.
_GENERATORS = (("<attrs generated ", "attr"), ("<@beartype(", "beartype"))

# What Python itself keeps in a class or makes from the rest of it.
_MACHINERY = frozenset(
    {
        "__abstractmethods__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__callable_proto_members_only__",
        "__classdictcell__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__module__",
        "__mutable_keys__",
        "__name__",
        "__non_callable_proto_members__",
        "__parameters__",
        "__protocol_attrs__",
        "__qualname__",
        "__readonly_keys__",
        "__slotnames__",
        "__static_attributes__",
        "__type_params__",
        "__weakref__",
        "_abc_impl",
    }
)
_BY_ENUM = frozenset(
    {
        "__new_member__",
        "_all_bits_",
        "_boundary_",
        "_flag_mask_",
        "_hashable_values_",
        "_inverted_",
        "_member_map_",
        "_member_names_",
        "_member_type_",
        "_new_member_",
        "_singles_mask_",
        "_unhashable_values_",
        "_unhashable_values_map_",
        "_use_args_",
        "_value2member_map_",
        "_value_repr_",
    }
)
# What installed generators make of the fields that they keep beside it.
_BY_PACKAGES = frozenset(
    {
        "__attrs_own_setattr__",
        "__attrs_props__",
        "__pydantic_complete__",
        "__pydantic_core_schema__",
        "__pydantic_parent_namespace__",
        "__pydantic_serializer__",
        "__pydantic_setattr_handlers__",
        "__pydantic_validator__",
        "__signature__",
    }
)
GENERATED = _MACHINERY | _BY_ENUM | _BY_PACKAGES
# Where generators keep the fields that annotations were read for.
FIELDS = frozenset({"__attrs_attrs__", "__dataclass_fields__"})
# What the source of a class tells better, where it is known.
TOLD_BY_SOURCE = frozenset(
    {
        "__annotations__",
        "__dataclass_params__",
        "__match_args__",
        "__optional_keys__",
        "__orig_bases__",
        "__required_keys__",
        "__slots__",
        "__total__",
    }
)
# Where makers of classes put functions of theirs under some Python versions and not under others.
OF_SOME_VERSIONS = frozenset({"__orig_bases__", "__replace__", "__subclasshook__"})


def generator_of(fn: FunctionType) -> str | None:
    """Return the top-level module of what generated a function; None if nothing known did.

    "" stands for the standard library.
    """
    filename = fn.__code__.co_filename
    if filename == "<string>":
        is_of_dataclass = fn.__code__.co_qualname.startswith("__create_fn__.<locals>.")
        module = fn.__globals__.get("__name__")
        is_of_tuple = isinstance(module, str) and module.startswith("namedtuple_")
        return "" if is_of_dataclass or is_of_tuple else None
    if filename.startswith("<"):
        for prefix, top in _GENERATORS:
            if filename.startswith(prefix):
                return top
    return None
