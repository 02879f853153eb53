"""Edits of what stands near what a body reaches, and is none of its business."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

_REGISTERED = """
    class Registry(dict): pass
    R = Registry()
    def register(name):
        def noting(fn):
            R.setdefault(name, []).append(fn)
            return fn
        return noting
    @register("a")
    def one(): return [[1||2]]
    """

HARMLESS = shapes_from(
    "beside",
    {
        "function in a registry of one's own": f"{_REGISTERED}\n    def run(): return 5\n",
        "heap": """
            import heapq
            H = [3, [[1||2]], 0]
            heapq.heapify(H)
            def run(): return 5
            """,
        "sorted list": """
            from bisect import insort
            L = [1, 3]
            insort(L, [[1||2]])
            def run(): return 5
            """,
        "unrelated value put": {
            "steps.py": """
                import settings_of
                def run():
                    from conf import LEVEL
                    return LEVEL
                """,
            "conf.py": """
                LEVEL = 1
                OTHER = 1
                """,
            "settings_of.py": """
                import conf
                conf.OTHER = [[3||4]]
                """,
        },
        "dir order of methods": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [n for n in dir(C) if not n.startswith("_")]
            """,
        "functions in a table, by their names": {
            "steps.py": """
                import tools
                import numpy as np
                def run(): return float(np.float64(1.0))
                """,
            "tools.py": """
                import sys
                import numpy as np
                def quiet(): np.seterr(all="ignore", over=[["ignore"||"warn"]])
                def deep(): sys.setrecursionlimit([[5000||6000]])
                TOOLS = {each.__name__.strip("_"): each for each in (quiet, deep)}
                NAMED = dict(quiet=quiet, deep=deep)
                CAN = [callable(quiet), isinstance(deep, type), deep.__doc__]
                """,
        },
        "order not seen": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return C().a()
            """,
        "set order slots": '''
            class C:
                """[[Doc.||Other.]]"""
                def a(self): return 1
            def run(): return [n for n in vars(C) if not n.startswith("_")]
            ''',
        "vars instance": """
            class C:
                def __init__(self): self.x = 1
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return vars(C())
            """,
        "sqlite table name": """
            import sqlite3
            def prices(): return [[1||2]]
            def run():
                c = sqlite3.connect(":memory:")
                c.execute("create table prices (a)")
                c.execute("insert into prices values (3)")
                return c.execute("select * from prices").fetchall()
            """,
        "sqlite cursor": """
            import sqlite3
            def prices(): return [[1||2]]
            def run():
                with sqlite3.connect(":memory:") as c:
                    cur = c.cursor()
                    cur.execute("create table prices (a)")
                    return cur.execute("select * from prices").fetchall()
            """,
        "sqlite param": """
            import sqlite3
            def prices(): return [[1||2]]
            def load(conn): return conn.execute("select a from prices").fetchall()
            def run():
                c = sqlite3.connect(":memory:")
                c.execute("create table prices (a)")
                return load(c)
            """,
        "sqlalchemy text": """
            import sqlalchemy as sa
            def prices(): return [[1||2]]
            def run():
                e = sa.create_engine("sqlite://")
                with e.begin() as c:
                    c.execute(sa.text("create table prices (a)"))
                    return [tuple(r) for r in c.execute(sa.text("select * from prices"))]
            """,
        "module level conn helper": {
            "steps.py": """
                from db import rows
                def prices(): return [[1||2]]
                def run(): return rows()
                """,
            "db.py": """
                import sqlite3
                def prices(): return 3
                def rows():
                    c = sqlite3.connect(":memory:")
                    c.execute("create table prices (a)")
                    return c.execute("select * from prices").fetchall()
                """,
        },
        "pandas df.query column": """
            import pandas as pd
            def price(): return [[1||2]]
            def run(): return len(pd.DataFrame({"price": [1, 2]}).query("price > 1"))
            """,
        "df.eval column": """
            import pandas as pd
            def price(): return [[1||2]]
            def run(): return pd.DataFrame({"price": [1, 2]}).eval("price + 1").tolist()
            """,
        "pd.read_sql": """
            import sqlite3, pandas as pd
            def prices(): return [[1||2]]
            def run():
                c = sqlite3.connect(":memory:")
                c.execute("create table prices (a)")
                return len(pd.read_sql("select * from prices", c))
            """,
        "session.query attr": """
            def prices(): return [[1||2]]
            class Session:
                def execute(self, q): return q
            def run(): return Session().execute("select * from prices")
            """,
        "methods reordered where self is looked through": """
            class C:
                def __init__(self): self.x = 1
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
                def told(self): return (sorted(self.__dict__), sorted(vars(self)))
            def run(): return C().told()
            """,
        "methods reordered where an object of a module is looked through": """
            class C:
                def __init__(self): self.x = 1
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            c = C()
            def run(): return (sorted(c.__dict__), sorted(vars(c)))
            """,
        "class with a method that acts, which nothing calls": """
            import yaml
            class Setup:
                x = len("a")
                def go(self): yaml.SafeLoader.add_constructor("!s1", lambda l, n: [[1||2]])
            def run(): return yaml.safe_load("1")
            """,
        "class whose body calls what is its own": """
            import yaml
            class Setup:
                names = []
                names.append([[1||2]])
            def run(): return yaml.safe_load("1")
            """,
        "fields made by a function": """
            import yaml, dataclasses
            @dataclasses.dataclass
            class Setup:
                x: list = dataclasses.field(default_factory=[[list||dict]])
            def run(): return yaml.safe_load("1")
            """,
        "value made by a method of one's own": """
            import yaml
            class Setup:
                def __init__(self): self.items = []
                def add(self, x): self.items.append(x)
            S = Setup()
            S.add([[1||2]])
            def run(): return yaml.safe_load("1")
            """,
        "other name of a module that is set": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.get()
                """,
            "conf.py": """
                LEVEL = 1
                OTHER = 1
                def get(): return LEVEL
                def set_other(x):
                    global OTHER
                    OTHER = x
                """,
            "settings_of.py": """
                import conf
                conf.set_other([[3||4]])
                """,
        },
        "validator of another model": """
            import pydantic
            class Other(pydantic.BaseModel):
                x: int = 1
                @pydantic.field_validator("x")
                @classmethod
                def check(cls, v): return v + [[1||2]]
            class Mine(pydantic.BaseModel):
                y: int = 1
            def run(): return Mine().y
            """,
        "method of another class with a cache": """
            import functools, pandas as pd
            class Other:
                @functools.lru_cache
                def f(self): return [[1||2]]
                @functools.singledispatchmethod
                def g(self, x): return [[1||2]]
                @g.register
                def _(self, x: int): return [[3||4]]
            def run(): return pd.DataFrame({"a": [1]}).a.tolist()
            """,
        "object of another class made with frame": """
            import pandas as pd
            class Other:
                def __init__(self, frame): self.frame = frame.assign(b=[[1||2]])
                def total(self): return int(self.frame.b.sum())
            O = Other(pd.DataFrame({"a": [1]}))
            T = O.total()
            def run(): return pd.DataFrame({"a": [1]}).a.tolist()
            """,
        "workflow at top with other tasks": """
            import numpy as np
            from flowweaver import Workflow, Task
            def other():
                np.set_printoptions(precision=[[2||3]])
                return 1
            def run(): return np.zeros(1).tolist()
            tasks = [Task("run", run)]
            W = Workflow("x", [Task("other", other), Task("run", run)])
            """,
        "value computed by numpy in class body": """
            import numpy as np
            class Other:
                table = np.append(np.zeros(3), [[1||2]])
                rng = np.random.default_rng(1)
                first = rng.random()
            def run(): return np.zeros(1).tolist()
            """,
        "logger in class body": """
            import logging, numpy as np
            class Other:
                log = logging.getLogger("x")
                log.setLevel([[10||20]])
            def run(): return np.zeros(1).tolist()
            """,
        "sorted at top by a function": """
            import numpy as np
            def key(x): return np.abs(x) * [[1||-1]]
            ORDER = sorted([1, 2], key=key)
            def run(): return np.zeros(1).tolist()
            """,
        "own object set at top": """
            import numpy as np
            class Conf:
                def __init__(self): self.lib, self.level = np, 0
                def set(self, level): self.level = level
            c = Conf()
            c.set([[1||2]])
            c.level += 1
            def run(): return np.zeros(1).tolist()
            """,
        "frame changed at top by function": """
            import pandas as pd
            F = pd.DataFrame({"a": [1]})
            def add(frame): frame["b"] = [[1||2]]
            add(F)
            def run(): return pd.DataFrame({"a": [1]}).a.tolist()
            """,
        "column added to a frame in a class body": """
            import pandas as pd
            class Data:
                f = pd.DataFrame({"a": [1]})
                f["b"] = [[1||2]]
            def run(): return pd.DataFrame({"a": [1]}).a.tolist()
            """,
        "isinstance at top": """
            import numpy as np
            X = isinstance([[1||2]], np.ndarray)
            def run(): return np.zeros(1).tolist()
            """,
        "body of main": """
            import numpy as np
            def main(): np.set_printoptions(precision=[[2||3]])
            if __name__ == "__main__": main()
            def run(): return np.zeros(1).tolist()
            """,
    },
    matters=False,
)
