"""What modules set in others that only a body imports."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

SETTINGS = shapes_from(
    "set elsewhere",
    {
        "value put in other module at top, imported by body": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.LEVEL
                """,
            "conf.py": """
                LEVEL = 1
                """,
            "settings_of.py": """
                import conf
                conf.LEVEL = [[3||4]]
                """,
        },
        "value put from own module": {
            "steps.py": """
                import conf
                conf.LEVEL = [[3||4]]
                def run():
                    from conf import LEVEL
                    return LEVEL
                """,
            "conf.py": """
                LEVEL = 1
                """,
        },
        "value put in dict": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.C["level"]
                """,
            "conf.py": """
                C = {"level": 1}
                """,
            "settings_of.py": """
                import conf
                conf.C["level"] = [[3||4]]
                """,
        },
        "dict update via function": {
            "steps.py": """
                import settings_of
                def run():
                    from conf import get
                    return get()
                """,
            "conf.py": """
                C = {"level": 1}
                def get(): return C["level"]
                def configure(**k): C.update(k)
                """,
            "settings_of.py": """
                import conf
                conf.configure(level=[[3||4]])
                """,
        },
        "class attr set": {
            "steps.py": """
                import settings_of
                def run():
                    from conf import Conf
                    return Conf.level
                """,
            "conf.py": """
                class Conf:
                    level = 1
                """,
            "settings_of.py": """
                from conf import Conf
                Conf.level = [[3||4]]
                """,
        },
        "object attr set": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.c.level
                """,
            "conf.py": """
                class Conf:
                    level = 1
                c = Conf()
                """,
            "settings_of.py": """
                from conf import c
                c.level = [[3||4]]
                """,
        },
        "new name put in": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.NEW
                """,
            "conf.py": """
                LEVEL = 1
                """,
            "settings_of.py": """
                import conf
                conf.NEW = [[3||4]]
                """,
        },
        "setattr (whole module)": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.LEVEL
                """,
            "conf.py": """
                LEVEL = 1
                """,
            "settings_of.py": """
                import conf
                setattr(conf, "LEVEL", [[3||4]])
                """,
        },
        "helper global statement": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.get()
                """,
            "conf.py": """
                LEVEL = 1
                def set_level(x):
                    global LEVEL
                    LEVEL = x
                def get(): return LEVEL
                """,
            "settings_of.py": """
                import conf
                conf.set_level([[3||4]])
                """,
        },
        "function replaced": {
            "steps.py": """
                import settings_of
                def run():
                    import conf
                    return conf.f()
                """,
            "conf.py": """
                def f(): return 1
                """,
            "settings_of.py": """
                import conf
                def g(): return [[3||4]]
                conf.f = g
                """,
        },
        "method replaced": {
            "steps.py": """
                import settings_of
                def run():
                    from conf import C
                    return C().f()
                """,
            "conf.py": """
                class C:
                    def f(self): return 1
                """,
            "settings_of.py": """
                import conf
                conf.C.f = lambda self: [[3||4]]
                """,
        },
    },
)
