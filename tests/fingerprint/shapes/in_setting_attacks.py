"""Programs that were written to set and find things unseen."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

SETTING_ATTACKS = shapes_from(
    "attack on settings",
    {
        "lru cached setup": """
            import numpy as np, functools
            @functools.lru_cache
            def setup(): np.set_printoptions(precision=[[2||5]])
            setup()
            def run(): return str(np.array([1/3]))
            """,
        "tenacity setup": """
            import numpy as np, tenacity
            @tenacity.retry
            def setup(): np.set_printoptions(precision=[[2||5]])
            setup()
            def run(): return str(np.array([1/3]))
            """,
        "plugin registry in three modules": {
            "steps.py": """
                import plugins
                def run():
                    from registry import REG
                    return sorted((k, f()) for k, f in REG.items())
                """,
            "registry.py": """
                REG = {}
                class Registry:
                    def __init__(self, store): self.store = store
                    def __call__(self, name):
                        def deco(f):
                            self.store[name] = f
                            return f
                        return deco
                register = Registry(REG)
                """,
            "plugins.py": """
                from registry import register
                class Plugins:
                    @register("a")
                    def a(): return [[1||2]]
                """,
        },
        "plain value by registry object": {
            "steps.py": """
                import plugins
                def run():
                    from registry import conf
                    return conf.get("a")
                """,
            "registry.py": """
                class Conf:
                    def __init__(self): self.d = {}
                    def set(self, **k): self.d.update(k)
                    def get(self, k): return self.d[k]
                conf = Conf()
                """,
            "plugins.py": """
                from registry import conf
                conf.set(a=[[1||2]])
                """,
        },
        "plain value in class body": {
            "steps.py": """
                import plugins
                def run():
                    import conf
                    return conf.X
                """,
            "conf.py": """
                X = 0
                """,
            "plugins.py": """
                import conf
                class Setup:
                    conf.X = [[1||2]]
                """,
        },
        "value set by function of a third module (whole module)": {
            "steps.py": """
                import plugins
                def run():
                    import conf
                    return conf.X
                """,
            "conf.py": """
                X = 0
                """,
            "tools.py": """
                def put(module, value): module.X = value
                """,
            "plugins.py": """
                import conf, tools
                tools.put(conf, [[1||2]])
                """,
        },
        "value set through package": {
            "steps.py": """
                import pkg.settings
                def run():
                    from pkg import LEVEL
                    return LEVEL
                """,
            "pkg/__init__.py": """
                LEVEL = 0
                """,
            "pkg/settings.py": """
                import pkg
                pkg.LEVEL = [[1||2]]
                """,
        },
        "value set relative import": {
            "steps.py": """
                import pkg.settings
                def run():
                    from pkg.conf import LEVEL
                    return LEVEL
                """,
            "pkg/__init__.py": """

                """,
            "pkg/conf.py": """
                LEVEL = 0
                """,
            "pkg/settings.py": """
                from . import conf
                conf.LEVEL = [[1||2]]
                """,
        },
        "value set through reexport": {
            "steps.py": """
                import settings_of
                def run():
                    from pkg import opts
                    return opts["a"]
                """,
            "pkg/__init__.py": """
                from .conf import opts
                """,
            "pkg/conf.py": """
                opts = {}
                """,
            "settings_of.py": """
                import pkg
                pkg.opts["a"] = [[1||2]]
                """,
        },
        "loop sets values (whole module)": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.A, conf.B
                """,
            "conf.py": """
                A = B = 0
                """,
            "settings_of.py": """
                import conf
                for k, v in {"A": 1, "B": [[1||2]]}.items(): setattr(conf, k, v)
                """,
        },
        "vars update (whole module)": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.A
                """,
            "conf.py": """
                A = 0
                """,
            "settings_of.py": """
                import conf
                vars(conf).update(A=[[1||2]])
                """,
        },
        "dunder dict update (whole module)": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.A
                """,
            "conf.py": """
                A = 0
                """,
            "settings_of.py": """
                import conf
                conf.__dict__["A"] = [[1||2]]
                """,
        },
        "value set from function imported inside": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.A
                """,
            "conf.py": """
                A = 0
                """,
            "settings_of.py": """
                def setup():
                    import conf
                    conf.A = [[1||2]]
                setup()
                """,
        },
        "helper imported by body reads value set at top": {
            "steps.py": """
                import settings_of
                def run():
                    from helpers import f
                    return f()
                """,
            "helpers.py": """
                import conf
                def f(): return conf.A
                """,
            "conf.py": """
                A = 0
                """,
            "settings_of.py": """
                import conf
                conf.A = [[1||2]]
                """,
        },
        "pop": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.A
                """,
            "conf.py": """
                A = [1, 2, 3]
                """,
            "settings_of.py": """
                import conf
                conf.A.pop([[0||1]])
                """,
        },
        "renamed in closure": {
            "steps.py": """
                from importlib import import_module
                def make(load):
                    def go(): return load("one").f()
                    return go
                go = make(import_module)
                def run(): return go()
                """,
            "one.py": """
                def f(): return [[1||2]]
                """,
        },
        "getdoc in dict": '''
            import inspect
            T = {"d": inspect.getdoc}
            def f():
                """[[One.||Two.]]"""
            def run(): return T["d"](f)
            ''',
        "getdoc given": '''
            import inspect
            def apply(fn, x): return fn(x)
            def f():
                """[[One.||Two.]]"""
            def run(): return apply(inspect.getdoc, f)
            ''',
        "getdoc in partial at top": '''
            import inspect
            from functools import partial
            def f():
                """[[One.||Two.]]"""
            d = partial(inspect.getdoc, f)
            def run(): return d()
            ''',
        "methodcaller at top": '''
            from operator import attrgetter
            doc = attrgetter("__doc__")
            def f():
                """[[One.||Two.]]"""
            def run(): return doc(f)
            ''',
        "vars renamed": """
            v = vars
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [n for n in v(C) if not n.startswith("_")]
            """,
        "vars mapped": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [[n for n in m if not n.startswith("_")] for m in map(vars, [C])]
            """,
        "order of dataclass via helper in other module": {
            "steps.py": """
                from helpers import names
                class C:
                    def [[a||b]](self): return 1
                    def [[b||a]](self): return 1
                def run(): return names(C)
                """,
            "helpers.py": """
                def names(c): return [n for n in c.__dict__ if not n.startswith("_")]
                """,
        },
        "subclasses recursive in body loaded": {
            "steps.py": """
                def run():
                    import one, two
                    def below(c): return [x for s in c.__subclasses__() for x in (s.v, *below(s))]
                    return below(one.A)
                """,
            "one.py": """
                class A: pass
                """,
            "two.py": """
                import one
                class B(one.A): v = 1
                class C(B): v = [[1||2]]
                """,
        },
    },
)
