"""What modules do to packages and to one another while they are loaded, by way of classes."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

EFFECTS = shapes_from(
    "done when loaded",
    {
        "class body sets attr": """
            import numpy as np
            class Setup:
                np.set_printoptions(precision=[[2||5]])
            def run(): return str(np.float64(1)/3) + str(np.array([1/3]))
            """,
        "class body assigns": """
            import pandas as pd
            class Setup:
                pd.options.display.max_rows = [[10||20]]
            def run(): return pd.get_option("display.max_rows")
            """,
        "class body calls own register that acts": """
            import yaml
            def register(tag, fn): yaml.SafeLoader.add_constructor(tag, fn)
            class Setup:
                register("!e3", lambda l, n: [[1||2]])
            def run(): return yaml.safe_load("!e3 1")
            """,
        "class body in nested class": """
            import yaml
            class Outer:
                class Setup:
                    yaml.SafeLoader.add_constructor("!e4", lambda l, n: [[1||2]])
            def run(): return yaml.safe_load("!e4 1")
            """,
        "class body for loop": """
            import yaml
            class Setup:
                for tag in ("!e5",):
                    yaml.SafeLoader.add_constructor(tag, lambda l, n: [[1||2]])
            def run(): return yaml.safe_load("!e5 1")
            """,
        "method calls self.other": """
            import yaml
            class Setup:
                def outer(self): self.inner([[1||2]])
                def inner(self, x): yaml.SafeLoader.add_constructor("!e6", lambda l, n: x)
            Setup().outer()
            def run(): return yaml.safe_load("!e6 1")
            """,
        "method cls.other": """
            import yaml
            class Setup:
                @classmethod
                def outer(cls): cls.inner([[1||2]])
                @classmethod
                def inner(cls, x): yaml.SafeLoader.add_constructor("!e7", lambda l, n: x)
            Setup.outer()
            def run(): return yaml.safe_load("!e7 1")
            """,
        "init calls self.other": """
            import yaml
            class Setup:
                def __init__(self): self.inner([[1||2]])
                def inner(self, x): yaml.SafeLoader.add_constructor("!e8", lambda l, n: x)
            S = Setup()
            def run(): return yaml.safe_load("!e8 1")
            """,
        "super method": """
            import yaml
            class Base:
                def inner(self, x): yaml.SafeLoader.add_constructor("!e9", lambda l, n: x)
            class Setup(Base):
                def outer(self): super().inner([[1||2]])
            Setup().outer()
            def run(): return yaml.safe_load("!e9 1")
            """,
        "object with method": """
            import yaml
            class Setup:
                def outer(self): self.inner([[1||2]])
                def inner(self, x): yaml.SafeLoader.add_constructor("!e10", lambda l, n: x)
            s = Setup()
            s.outer()
            def run(): return yaml.safe_load("!e10 1")
            """,
        "param through two": """
            import numpy as np
            def b(lib): lib.set_printoptions(precision=[[2||5]])
            def a(lib): b(lib)
            a(np)
            def run(): return str(np.array([1/3]))
            """,
        "param through two by keyword": """
            import numpy as np
            def b(*, lib): lib.set_printoptions(precision=[[2||5]])
            def a(lib): b(lib=lib)
            a(np)
            def run(): return str(np.array([1/3]))
            """,
        "param into a method": """
            import numpy as np
            class S:
                def __init__(self, lib): self.lib = lib
                def go(self): self.lib.set_printoptions(precision=[[2||5]])
            S(np).go()
            def run(): return str(np.array([1/3]))
            """,
        "param attribute through two": """
            import yaml
            def b(loader): loader.add_constructor("!e14", lambda l, n: [[1||2]])
            def a(lib): b(lib.SafeLoader)
            a(yaml)
            def run(): return yaml.safe_load("!e14 1")
            """,
        "default param": """
            import yaml
            def a(lib=yaml.SafeLoader): lib.add_constructor("!e15", lambda l, n: [[1||2]])
            a()
            def run(): return yaml.safe_load("!e15 1")
            """,
        "class body in module loaded in body": {
            "steps.py": """
                import yaml
                def run():
                    import setup_of
                    return yaml.safe_load("!e16 1")
                """,
            "setup_of.py": """
                import yaml
                class Setup:
                    yaml.SafeLoader.add_constructor("!e16", lambda l, n: [[1||2]])
                """,
        },
        "method self in module loaded in body": {
            "steps.py": """
                import yaml
                def run():
                    import setup_of
                    return yaml.safe_load("!e17 1")
                """,
            "setup_of.py": """
                import yaml
                class Setup:
                    def outer(self): self.inner([[1||2]])
                    def inner(self, x): yaml.SafeLoader.add_constructor("!e17", lambda l, n: x)
                Setup().outer()
                """,
        },
        "params two in module loaded in body": {
            "steps.py": """
                import numpy as np
                def run():
                    import setup_of
                    return str(np.array([1/3]))
                """,
            "setup_of.py": """
                import numpy as np
                def b(lib): lib.set_printoptions(precision=[[2||5]])
                def a(lib): b(lib)
                a(np)
                """,
        },
        "register in class body of registry elsewhere, body loads": {
            "steps.py": """
                def run():
                    import plug, reg
                    return reg.R["a"]()
                """,
            "reg.py": """
                R = {}
                def register(n, f): R[n] = f
                """,
            "plug.py": """
                import reg
                class A:
                    reg.register("a", lambda: [[1||2]])
                """,
        },
        "class decorator in class body methods": """
            import yaml
            class A:
                @staticmethod
                def f(l, n): return [[1||2]]
                yaml.SafeLoader.add_constructor("!e20", f.__func__)
            def run(): return yaml.safe_load("!e20 1")
            """,
    },
)
