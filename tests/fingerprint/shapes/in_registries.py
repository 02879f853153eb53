"""What the project hands over to installed packages when its modules are loaded."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

HANDED_OVER = shapes_from(
    "handed over",
    {
        "yaml.add_constructor": """
            import yaml
            def point(loader, node): return [[1||2]]
            yaml.add_constructor("!p", point, yaml.SafeLoader)
            def run(): return yaml.safe_load("!p 1")
            """,
        "class that yaml notes itself": """
            import yaml
            class Point(yaml.YAMLObject):
                yaml_tag = "!x"
                @classmethod
                def from_yaml(cls, loader, node): return [[1||2]]
            def run(): return yaml.load("!x 1", yaml.Loader)
            """,
        "class that yaml notes, in another module": {
            "steps.py": """
                import yaml
                import points
                def run(): return yaml.load("!y 1", yaml.Loader)
                """,
            "points.py": """
                import yaml
                class Base(yaml.YAMLObject): pass
                class Point(Base):
                    yaml_tag = "!y"
                    @classmethod
                    def from_yaml(cls, loader, node): return [[1||2]]
                """,
        },
        "yaml representer, lambda": """
            import yaml
            class A: pass
            yaml.add_representer(A, lambda dumper, value: dumper.represent_int([[1||2]]))
            def run(): return yaml.dump(A())
            """,
        "constructor set in a table": """
            import yaml
            def point(loader, node): return [[1||2]]
            yaml.SafeLoader.yaml_constructors["!q"] = point
            def run(): return yaml.safe_load("!q 1")
            """,
        "yaml in other module": {
            "steps.py": """
                import yaml
                import registrations
                def run(): return yaml.safe_load("!r 1")
                """,
            "registrations.py": """
                import yaml
                def point(loader, node): return [[1||2]]
                yaml.add_constructor("!r", point, yaml.SafeLoader)
                """,
        },
        "yaml in a function": """
            import yaml
            def point(loader, node): return [[1||2]]
            def setup():
                yaml.add_constructor("!s", point, yaml.SafeLoader)
            setup()
            def run(): return yaml.safe_load("!s 1")
            """,
        "yaml by a decorator of one's own": """
            import yaml
            def constructor(tag):
                def add(fn):
                    yaml.add_constructor(tag, fn, yaml.SafeLoader)
                    return fn
                return add
            @constructor("!t")
            def point(loader, node): return [[1||2]]
            def run(): return yaml.safe_load("!t 1")
            """,
        "yaml in a loop": """
            import yaml
            def point(loader, node): return [[1||2]]
            for tag, fn in {"!u": point}.items():
                yaml.add_constructor(tag, fn, yaml.SafeLoader)
            def run(): return yaml.safe_load("!u 1")
            """,
        "yaml in module imported in body": {
            "steps.py": """
                import yaml
                def run():
                    import registrations
                    return yaml.safe_load("!v 1")
                """,
            "registrations.py": """
                import yaml
                def point(loader, node): return [[1||2]]
                yaml.add_constructor("!v", point, yaml.SafeLoader)
                """,
        },
        "copyreg": """
            import copy, copyreg
            class A: x = 0
            def make(x):
                a = A(); a.x = x
                return a
            copyreg.pickle(A, lambda a: (make, ([[1||2]],)))
            def run(): return copy.copy(A()).x
            """,
        "accessor of pandas": """
            import pandas as pd
            @pd.api.extensions.register_dataframe_accessor("mine")
            class Mine:
                def __init__(self, frame): self.frame = frame
                def total(self): return [[1||2]]
            def run(): return pd.DataFrame({"a": [1]}).mine.total()
            """,
        "attribute set on a class of pandas": """
            import pandas as pd
            def total(self): return [[1||2]]
            pd.DataFrame.my_total = total
            def run(): return pd.DataFrame({"a": [1]}).my_total()
            """,
        "option of pandas": """
            import pandas as pd
            pd.set_option("display.precision", [[1||2]])
            def run(): return str(pd.DataFrame({"a": [1.23456]}))
            """,
        "options of numpy": """
            import numpy as np
            np.set_printoptions(precision=[[1||2]])
            def run(): return str(np.array([1.23456]))
            """,
        "codecs": """
            import codecs
            def find(name):
                if name == "mine9":
                    return codecs.CodecInfo(None, lambda b, e="": (str([[1||2]]), len(b)))
            codecs.register(find)
            def run(): return codecs.decode(b"a", "mine9")
            """,
        "codecs' error handler": """
            import codecs
            def handler(error): return (str([[1||2]]), error.end)
            codecs.register_error("mine", handler)
            def run(): return "ä".encode("ascii", "mine").decode()
            """,
        "adapter of sqlite": """
            import sqlite3
            class A: pass
            sqlite3.register_adapter(A, lambda a: [[1||2]])
            def run(): return sqlite3.connect(":memory:").execute("select ?", (A(),)).fetchone()
            """,
        "virtual subclass": """
            import numbers
            class A: pass
            class B: pass
            numbers.Number.register([[A||B]])
            def run(): return isinstance(A(), numbers.Number)
            """,
        "singledispatch of an installed function": """
            import dask.sizeof
            class A: pass
            @dask.sizeof.sizeof.register(A)
            def of_a(x): return [[1||2]]
            def run(): return dask.sizeof.sizeof(A())
            """,
        "dispatch from an import": """
            from dask.base import normalize_token
            class A: pass
            @normalize_token.register(A)
            def _(x): return [[1||2]]
            def run(): return normalize_token(A())
            """,
        "event of a class of SQLAlchemy": """
            import sqlalchemy as sa
            SEEN = []
            @sa.event.listens_for(sa.engine.Engine, "connect")
            def f(one, other): SEEN.append([[1||2]])
            def run():
                SEEN.clear()
                sa.create_engine("sqlite://").connect().close()
                return SEEN[0]
            """,
        "compiler of SQLAlchemy": """
            import sqlalchemy as sa
            from sqlalchemy.ext.compiler import compiles
            from sqlalchemy.sql.functions import FunctionElement
            class utc(FunctionElement):
                inherit_cache = True
            @compiles(utc)
            def f(element, compiler, **kw): return "NOW[[1||2]]"
            def run(): return str(sa.select(utc()))
            """,
        "precision of decimals": """
            import decimal
            decimal.getcontext().prec = [[3||4]]
            def run(): return str(decimal.Decimal(1) / 3)
            """,
        "table of an installed module": """
            import fastapi.encoders as e
            class A: pass
            def f(a): return [[1||2]]
            e.encoders_by_class_tuples[f] = (A,)
            def run(): return {c: k for k, c in e.encoders_by_class_tuples.items()}[(A,)](0)
            """,
        "alias of a register": """
            import yaml
            add = yaml.add_constructor
            def point(loader, node): return [[1||2]]
            add("!w", point, yaml.SafeLoader)
            def run(): return yaml.safe_load("!w 1")
            """,
        "outcome bound": """
            import yaml
            def point(loader, node): return [[1||2]]
            x = yaml.add_constructor("!k1", point, yaml.SafeLoader)
            def run(): return yaml.safe_load("!k1 1")
            """,
        "in a list": """
            import yaml
            def point(loader, node): return [[1||2]]
            REG = [yaml.add_constructor("!k2", point, yaml.SafeLoader)]
            def run(): return yaml.safe_load("!k2 1")
            """,
        "in a comprehension": """
            import yaml
            def point(loader, node): return [[1||2]]
            [yaml.add_constructor(tag, point, yaml.SafeLoader) for tag in ("!k3",)]
            def run(): return yaml.safe_load("!k3 1")
            """,
        "after and": """
            import yaml
            def point(loader, node): return [[1||2]]
            True and yaml.add_constructor("!k4", point, yaml.SafeLoader)
            def run(): return yaml.safe_load("!k4 1")
            """,
        "in a condition": """
            import yaml
            def point(loader, node): return [[1||2]]
            if (x := yaml.add_constructor("!k5", point, yaml.SafeLoader)) is None: pass
            def run(): return yaml.safe_load("!k5 1")
            """,
        "by setdefault, bound": """
            import yaml
            def point(loader, node): return [[1||2]]
            d = yaml.SafeLoader.yaml_constructors.setdefault("!k6", point)
            def run(): return yaml.safe_load("!k6 1")
            """,
        "by setattr, bound": """
            import yaml
            def point(loader, node): return [[1||2]]
            L = yaml.SafeLoader
            x = setattr(L, "yaml_constructors", {**L.yaml_constructors, "!k7": point})
            def run(): return yaml.safe_load("!k7 1")
            """,
        "by a function whose outcome is bound": """
            import yaml
            def point(loader, node): return [[1||2]]
            def setup():
                return yaml.add_constructor("!k8", point, yaml.SafeLoader)
            DONE = setup() is None
            def run(): return yaml.safe_load("!k8 1")
            """,
        "option of pandas, bound": """
            import pandas as pd
            _ = pd.set_option("display.precision", [[1||2]])
            def run(): return str(pd.DataFrame({"a": [1.23456]}))
            """,
        "errors of numpy, bound": """
            import numpy as np
            old = np.seterr(all="[[ignore||raise]]")
            def run():
                try: return str(np.float64(1) / np.float64(0))
                except FloatingPointError: return "raised"
            """,
        "configuration of dask, bound": """
            import dask
            c = dask.config.set({"mine.k9": [[1||2]]})
            def run(): return dask.config.get("mine.k9")
            """,
        "configuration of polars as an object": """
            import polars as pl
            cfg = pl.Config(tbl_rows=[[1||2]])
            def run(): return str(pl.DataFrame({"a": [1, 2, 3]}))
            """,
        "by making an object": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Setup:
                def __init__(self): yaml.add_constructor("!m1", point, yaml.SafeLoader)
            Setup()
            def run(): return yaml.safe_load("!m1 1")
            """,
        "by a method": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Setup:
                def go(self): yaml.add_constructor("!m2", point, yaml.SafeLoader)
            s = Setup()
            s.go()
            def run(): return yaml.safe_load("!m2 1")
            """,
        "by a method of what is made": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Setup:
                def go(self): yaml.add_constructor("!m3", point, yaml.SafeLoader)
            Setup().go()
            def run(): return yaml.safe_load("!m3 1")
            """,
        "by a static method": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Setup:
                @staticmethod
                def go(): yaml.add_constructor("!m4", point, yaml.SafeLoader)
            Setup.go()
            def run(): return yaml.safe_load("!m4 1")
            """,
        "by a base class": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Base:
                def __init_subclass__(cls): yaml.add_constructor("!m5", point, yaml.SafeLoader)
            class Derived(Base): pass
            def run(): return yaml.safe_load("!m5 1")
            """,
        "by a metaclass": """
            import yaml
            def point(loader, node): return [[1||2]]
            class Meta(type):
                def __init__(cls, *given): yaml.add_constructor("!m6", point, yaml.SafeLoader)
            class Made(metaclass=Meta): pass
            def run(): return yaml.safe_load("!m6 1")
            """,
        "by a partial": """
            import yaml
            def point(loader, node): return [[1||2]]
            from functools import partial
            add = partial(yaml.add_constructor, Loader=yaml.SafeLoader)
            add("!m7", point)
            def run(): return yaml.safe_load("!m7 1")
            """,
        "by an alias in a function": """
            import yaml
            def point(loader, node): return [[1||2]]
            def setup():
                L = yaml.SafeLoader
                L.add_constructor("!m8", point)
            setup()
            def run(): return yaml.safe_load("!m8 1")
            """,
        "by what a function is given": """
            import yaml
            def point(loader, node): return [[1||2]]
            def setup(L): L.add_constructor("!m9", point)
            setup(yaml.SafeLoader)
            def run(): return yaml.safe_load("!m9 1")
            """,
        "function given to a function": """
            import yaml
            def point(loader, node): return [[1||2]]
            def setup(fn):
                y = yaml
                y.add_constructor("!m10", fn, y.SafeLoader)
            setup(point)
            def run(): return yaml.safe_load("!m10 1")
            """,
        "registry in module imported in body": {
            "steps.py": """
                def run():
                    from registry import HANDLERS
                    return HANDLERS["a"]()
                """,
            "registry.py": """
                HANDLERS = {}
                def register(fn):
                    HANDLERS[fn.__name__] = fn
                    return fn
                @register
                def a(): return [[1||2]]
                """,
        },
        "registry by subclasses in module imported in body": {
            "steps.py": """
                def run():
                    import registry
                    return registry.Base.kinds[0]().get()
                """,
            "registry.py": """
                class Base:
                    kinds = []
                    def __init_subclass__(cls): Base.kinds.append(cls)
                class A(Base):
                    def get(self): return [[1||2]]
                """,
        },
        "registry in body filled elsewhere": {
            "steps.py": """
                import handlers
                def run():
                    from registry import HANDLERS
                    return HANDLERS["a"]()
                """,
            "registry.py": """
                HANDLERS = {}
                def register(fn):
                    HANDLERS[fn.__name__] = fn
                    return fn
                """,
            "handlers.py": """
                from registry import register
                @register
                def a(): return [[1||2]]
                """,
        },
    },
)
