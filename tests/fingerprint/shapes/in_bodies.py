"""What modules of the project do to one another when a body loads them."""

from __future__ import annotations

from textwrap import dedent

from tests.fingerprint.shapes.shape import shapes_from

_REGISTRY = """
    import functools
    HANDLERS = {}
    def register(fn):
        HANDLERS[fn.__name__] = fn
        return fn
    def put(name, value): HANDLERS[name] = value
    @functools.singledispatch
    def show(x): return 0
    class Base:
        def go(self): return 0
    class Noting:
        def __init_subclass__(cls): HANDLERS[cls.__name__] = cls
    X = 0
    """


def _loading(returned: str, plug: str, above: str = "") -> dict[str, str]:
    """Return a program whose body loads what fills a registry, and then asks that."""
    run = f"{above}\ndef run():\n    import registry, plug\n    return {returned}\n"
    return {"steps.py": run, "registry.py": _REGISTRY, "plug.py": dedent(plug)}


def _with_yaml(tag: str, plug: str) -> dict[str, str]:
    """Return a program whose body loads what hands `point` over to yaml."""
    run = f'def run():\n    import yaml, plug\n    return yaml.safe_load("!{tag} 1")\n'
    point = "import yaml\ndef point(loader, node): return [[1||2]]\n"
    return {"steps.py": run, "plug.py": point + dedent(plug)}


LOADED_IN_BODY = shapes_from(
    "loaded in a body",
    {
        "by a decorator": _loading(
            'registry.HANDLERS["a"]()',
            """
            from registry import register
            @register
            def a(): return [[1||2]]
            """,
            above="import registry",
        ),
        "by a function": _loading(
            'registry.HANDLERS["a"]',
            """
            import registry
            registry.put("a", [[1||2]])
            """,
        ),
        "by a function of its own": _loading(
            'registry.HANDLERS["a"]',
            """
            import registry
            def setup(): registry.put("a", [[1||2]])
            setup()
            """,
        ),
        "by an alias": _loading(
            'registry.HANDLERS["a"]',
            """
            import registry
            put = registry.put
            put("a", [[1||2]])
            """,
        ),
        "in a table": _loading(
            'registry.HANDLERS["a"]',
            """
            import registry
            registry.HANDLERS["a"] = [[1||2]]
            """,
        ),
        "by update of a table": _loading(
            'registry.HANDLERS["a"](1)',
            """
            from registry import HANDLERS
            HANDLERS.update(a=lambda x: [[1||2]])
            """,
        ),
        "attribute of a module": _loading(
            "registry.X",
            """
            import registry
            registry.X = [[1||2]]
            """,
        ),
        "method of a class": _loading(
            "registry.Base().go()",
            """
            import registry
            registry.Base.go = lambda self: [[1||2]]
            """,
        ),
        "noted class": _loading(
            'registry.HANDLERS["A"].x',
            """
            import registry
            class A(registry.Noting):
                x = [[1||2]]
            """,
        ),
        "class asked for": _loading(
            "registry.Base.__subclasses__()[0].x",
            """
            from registry import Base
            class A(Base):
                x = [[1||2]]
            """,
        ),
        "singledispatch": _loading(
            "registry.show(1)",
            """
            from registry import show
            @show.register
            def _(x: int): return [[1||2]]
            """,
        ),
        "yaml, by a function of its own": _with_yaml(
            "b1",
            """
            def setup(): yaml.add_constructor("!b1", point, yaml.SafeLoader)
            setup()
            """,
        ),
        "yaml, by an alias": _with_yaml(
            "b2",
            """
            add = yaml.add_constructor
            add("!b2", point, yaml.SafeLoader)
            """,
        ),
        "yaml, by an alias of a class": _with_yaml(
            "b3",
            """
            L = yaml.SafeLoader
            L.add_constructor("!b3", point)
            """,
        ),
        "yaml, by a partial": _with_yaml(
            "b4",
            """
            import functools
            add = functools.partial(yaml.add_constructor, Loader=yaml.SafeLoader)
            add("!b4", point)
            """,
        ),
        "yaml, imported in a function": _with_yaml(
            "b5",
            """
            def setup():
                from yaml import add_constructor as add, SafeLoader
                add("!b5", point, SafeLoader)
            setup()
            """,
        ),
        "yaml, noted class": _with_yaml(
            "b6",
            """
            class Point(yaml.YAMLObject):
                yaml_tag = "!b6"
                yaml_loader = yaml.SafeLoader
                from_yaml = classmethod(lambda *given: [[1||2]])
            """,
        ),
    },
)
