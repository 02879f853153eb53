"""Programs that were written to act on a library unseen while they are loaded."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

EFFECT_ATTACKS = shapes_from(
    "attack on effects",
    {
        "property setter acts on numpy": """
            import numpy as np
            class Conf:
                @property
                def precision(self): return 1
                @precision.setter
                def precision(self, v): np.set_printoptions(precision=v)
            conf = Conf()
            conf.precision = [[2||5]]
            def run(): return str(np.array([1/3]))
            """,
        "setattr hook acts": """
            import numpy as np
            class Conf:
                def __setattr__(self, k, v): np.set_printoptions(**{k: v})
            conf = Conf()
            conf.precision = [[2||5]]
            def run(): return str(np.array([1/3]))
            """,
        "loop over libraries": """
            import numpy as np, decimal
            for lib in (np,):
                lib.set_printoptions(precision=[[2||5]])
            def run(): return str(np.array([1/3]))
            """,
        "loop over libraries in function": """
            import numpy as np, decimal
            def setup():
                for lib in (decimal, np):
                    if hasattr(lib, "set_printoptions"):
                        lib.set_printoptions(precision=[[2||5]])
            setup()
            def run(): return str(np.array([1/3]))
            """,
        "dict of libraries": """
            import numpy as np
            LIBS = {"np": np}
            LIBS["np"].set_printoptions(precision=[[2||5]])
            def run(): return str(np.array([1/3]))
            """,
        "getattr of library at top": """
            import numpy as np
            getattr(np, "set_printoptions")(precision=[[2||5]])
            def run(): return str(np.array([1/3]))
            """,
        "map at top": """
            import yaml
            def reg(tag): yaml.SafeLoader.add_constructor(tag, lambda l, n: [[1||2]])
            list(map(reg, ["!x7"]))
            def run(): return yaml.safe_load("!x7 1")
            """,
        "function applied by function": """
            import yaml
            def apply(f): f()
            def reg(): yaml.SafeLoader.add_constructor("!x8", lambda l, n: [[1||2]])
            apply(reg)
            def run(): return yaml.safe_load("!x8 1")
            """,
        "lambda at top": """
            import yaml
            reg = lambda: yaml.SafeLoader.add_constructor("!x9", lambda l, n: [[1||2]])
            reg()
            def run(): return yaml.safe_load("!x9 1")
            """,
        "returned object method": """
            import yaml
            class S:
                def go(self): yaml.SafeLoader.add_constructor("!x10", lambda l, n: [[1||2]])
            def make(): return S()
            make().go()
            def run(): return yaml.safe_load("!x10 1")
            """,
        "chained returns self": """
            import yaml
            class S:
                def a(self): return self
                def go(self): yaml.SafeLoader.add_constructor("!x11", lambda l, n: [[1||2]])
            S().a().go()
            def run(): return yaml.safe_load("!x11 1")
            """,
        "own module function through attribute": {
            "steps.py": """
                import yaml
                import tools
                tools.setup(yaml)
                def run(): return yaml.safe_load("!x12 1")
                """,
            "tools.py": """
                def setup(lib): _go(lib.SafeLoader)
                def _go(loader): loader.add_constructor("!x12", lambda l, n: [[1||2]])
                """,
        },
        "decorator in class body registering static method": """
            import yaml
            def constructor(tag):
                def deco(fn):
                    yaml.SafeLoader.add_constructor(tag, fn)
                    return fn
                return deco
            class A:
                @constructor("!x13")
                def f(l, n): return [[1||2]]
            def run(): return yaml.safe_load("!x13 1")
            """,
        "decorated inside function called": """
            import yaml
            def constructor(tag):
                def deco(fn):
                    yaml.SafeLoader.add_constructor(tag, fn)
                    return fn
                return deco
            def setup():
                @constructor("!x14")
                def f(l, n): return [[1||2]]
            setup()
            def run(): return yaml.safe_load("!x14 1")
            """,
        "class decorator acting": """
            import yaml
            def tagged(cls):
                yaml.SafeLoader.add_constructor("!x15", lambda l, n: cls.x)
                return cls
            @tagged
            class A:
                x = [[1||2]]
            def run(): return yaml.safe_load("!x15 1")
            """,
        "sqlalchemy event method in class body": """
            import sqlalchemy as sa
            from sqlalchemy import event
            SEEN = []
            engine = sa.create_engine("sqlite://")
            class H:
                @event.listens_for(engine, "connect")
                def on(c, r): SEEN.append([[1||2]])
            def run():
                SEEN.clear(); engine.dispose(); engine.connect().close()
                return SEEN[0]
            """,
        "singleton via new": """
            import numpy as np
            class Setup:
                _i = None
                def __new__(cls):
                    if cls._i is None:
                        cls._i = super().__new__(cls)
                        cls._i._configure()
                    return cls._i
                def _configure(self): np.set_printoptions(precision=[[2||5]])
            S = Setup()
            def run(): return str(np.array([1/3]))
            """,
        "mixin method acts": """
            import numpy as np
            class Mixin:
                def configure(self): np.set_printoptions(precision=self.p)
            class Setup(Mixin):
                p = [[2||5]]
                def __init__(self): self.configure()
            Setup()
            def run(): return str(np.array([1/3]))
            """,
        "dataclass post init": """
            import numpy as np, dataclasses
            @dataclasses.dataclass
            class Setup:
                p: int = 2
                def __post_init__(self): np.set_printoptions(precision=self.p)
            Setup([[2||5]])
            def run(): return str(np.array([1/3]))
            """,
        "attribute lib in class": """
            import numpy as np
            class Setup:
                lib = np
                @classmethod
                def go(cls): cls.lib.set_printoptions(precision=[[2||5]])
            Setup.go()
            def run(): return str(np.array([1/3]))
            """,
        "setdefault table in class body of package": """
            import yaml
            class T:
                yaml.SafeLoader.yaml_constructors["!x21"] = lambda l, n: [[1||2]]
            def run(): return yaml.safe_load("!x21 1")
            """,
        "try in class body": """
            import yaml
            class T:
                try:
                    yaml.SafeLoader.add_constructor("!x22", lambda l, n: [[1||2]])
                except Exception: pass
            def run(): return yaml.safe_load("!x22 1")
            """,
        "enum member init acts": """
            import yaml, enum
            class T(enum.Enum):
                A = [[1||2]]
                def __init__(self, v): yaml.SafeLoader.add_constructor("!x23", lambda l, n: v)
            def run(): return yaml.safe_load("!x23 1")
            """,
        "generic alias in function": """
            import numpy as np
            def setup():
                opts = np.set_printoptions
                opts(precision=[[2||5]])
            setup()
            def run(): return str(np.array([1/3]))
            """,
        "recursion with lib": """
            import numpy as np
            def walk(lib, n):
                if n: walk(lib, n - 1)
                else: lib.set_printoptions(precision=[[2||5]])
            walk(np, 2)
            def run(): return str(np.array([1/3]))
            """,
        "args star": """
            import numpy as np
            def setup(*libs):
                for lib in libs: lib.set_printoptions(precision=[[2||5]])
            setup(np)
            def run(): return str(np.array([1/3]))
            """,
        "kwargs star": """
            import numpy as np
            def setup(**libs):
                for lib in libs.values(): lib.set_printoptions(precision=[[2||5]])
            setup(a=np)
            def run(): return str(np.array([1/3]))
            """,
        "list given": """
            import numpy as np
            def setup(libs):
                for lib in libs: lib.set_printoptions(precision=[[2||5]])
            setup([np])
            def run(): return str(np.array([1/3]))
            """,
    },
)
