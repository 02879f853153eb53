"""Bodies that look through a class or module for its members, and their order."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

MEMBERS = shapes_from(
    "looked through",
    {
        "list vars order": """
            class C:
                [[a||b]] = 1
                [[b||a]] = 1
            def run(): return [n for n in vars(C) if not n.startswith("_")]
            """,
        "dict order of methods": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [n for n in C.__dict__ if not n.startswith("_")]
            """,
        "vars methods called": """
            class C:
                def a(self): return [[1||2]]
            def run(): return [f(None) for n, f in vars(C).items() if not n.startswith("_")]
            """,
        "dir": """
            class C:
                def a(self): return 1
                def [[b||c]](self): return 1
            def run(): return [n for n in dir(C) if not n.startswith("_")]
            """,
        "subclasses": """
            class A: pass
            class B(A):
                x = [[1||2]]
            def run(): return [c.x for c in A.__subclasses__()]
            """,
        "subclasses order": """
            class A: pass
            class [[B||C]](A): pass
            class [[C||B]](A): pass
            def run(): return [c.__name__ for c in A.__subclasses__()]
            """,
        "subclasses added": """
            class A: pass
            class B(A): pass
            [[||class C(A): pass]]
            def run(): return [c.__name__ for c in A.__subclasses__()]
            """,
        "vars in metaclass": """
            class M(type):
                def __new__(m, n, b, ns):
                    c = super().__new__(m, n, b, ns)
                    c.names = [k for k in ns if not k.startswith("_")]
                    return c
            class C(metaclass=M):
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return C.names
            """,
        "init_subclass order": """
            class B:
                def __init_subclass__(cls):
                    cls.names = [k for k in vars(cls) if not k.startswith("_")]
            class C(B):
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return C.names
            """,
        "class decorator order": """
            def named(cls):
                cls.names = [k for k in vars(cls) if not k.startswith("_")]
                return cls
            @named
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return C.names
            """,
        "vars in helper": """
            def look(c): return [n for n in vars(c) if not n.startswith("_")]
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return look(C)
            """,
        "inspect getmembers": """
            import inspect
            class C:
                def a(self): return [[1||2]]
            def run(): return [f(None) for n, f in inspect.getmembers(C, inspect.isfunction)]
            """,
        "vars of module (whole module)": {
            "steps.py": """
                import one
                def run(): return [n for n in vars(one) if not n.startswith("_")]
                """,
            "one.py": """
                def [[a||b]](): return 1
                def [[b||a]](): return 1
                """,
        },
        "dict of module (whole module)": {
            "steps.py": """
                import one
                def run(): return [n for n in one.__dict__ if not n.startswith("_")]
                """,
            "one.py": """
                [[a||b]] = 1
                [[b||a]] = 1
                """,
        },
        "dict of instance type": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run():
                c = C()
                return [n for n in type(c).__dict__ if not n.startswith("_")]
            """,
        "vars in class loaded in body": {
            "steps.py": """
                def run():
                    from one import C
                    return [n for n in vars(C) if not n.startswith("_")]
                """,
            "one.py": """
                class C:
                    def [[a||b]](self): return 1
                    def [[b||a]](self): return 1
                """,
        },
        "base order": """
            class Base:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            class C(Base): pass
            def run():
                return [n for k in C.__mro__[:-1] for n in vars(k) if not n.startswith("_")]
            """,
        "mixed order attr and method": """
            class C:
                [[x = 1||def f(self): pass]]
                [[def f(self): pass||x = 1]]
            def run(): return [n for n in vars(C) if not n.startswith("_")]
            """,
        "getattr dict": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [n for n in getattr(C, "__dict__") if not n.startswith("_")]
            """,
        "dict of which a method is called": """
            class C:
                def [[a||b]](self): return 1
                def [[b||a]](self): return 1
            def run(): return [n for n in C.__dict__.keys() if not n.startswith("_")]
            """,
        "doc by way of an object": '''
            class C:
                """[[Doc.||Other.]]"""
                def told(self): return self.__class__.__doc__.strip()
            def run(): return C().told()
            ''',
        "annotations by way of a parameter": """
            class C:
                x: [[int||str]]
            def told(c): return [t.__name__ for t in c.__annotations__.values()]
            def run(): return told(C)
            """,
        "doc in vars": '''
            class C:
                """[[Doc.||Other.]]"""
                def a(self): return 1
            def run(): return vars(C)["__doc__"]
            ''',
        "annotations in vars": """
            class C:
                x: [[int||str]]
            C.__annotations__  # from Python 3.14 on they are evaluated then
            NAMES = ("__annotations__", "__annotations_cache__")
            def run(): return str([vars(C).get(name) for name in NAMES])
            """,
        "subclasses in helper loaded by body": {
            "steps.py": """
                def run():
                    import one
                    return [c.x for c in one.A.__subclasses__()]
                """,
            "one.py": """
                class A: pass
                class B(A):
                    x = [[1||2]]
                """,
        },
    },
)
