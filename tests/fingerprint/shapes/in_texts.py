"""Names that stand in texts, which libraries look up in the code that calls them."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

# As DuckDB, numexpr and patsy do it.
_LIBRARY = """
import sys

def evaluate(text):
    words = text.split()
    return next(v for n, v in sys._getframe(1).f_globals.items() if n in words)

sql = ols = evaluate

class connect:
    execute = staticmethod(evaluate)
"""

TEXTS = shapes_from(
    "text",
    {
        "limit of a query": """
            import pandas as pd
            lim = [[1||2]]
            def run(): return len(pd.DataFrame({"a": [1, 2, 3]}).query("a > @lim"))
            """,
        "limit of a query in two halves": """
            import pandas as pd
            lim = [[1||2]]
            def run(column="a"):
                frame = pd.DataFrame({"a": [1, 2, 3]})
                return len(frame.query(f"{column} > " "@lim"))
            """,
        "query in a variable": """
            import pandas as pd
            lim = [[1||2]]
            def run():
                wanted = "a > @lim"
                return len(pd.DataFrame({"a": [1, 2, 3]}).query(wanted))
            """,
        "query in a constant": """
            import pandas as pd
            lim = [[1||2]]
            WANTED = "a > @lim"
            def run(): return len(pd.DataFrame({"a": [1, 2, 3]}).query(WANTED))
            """,
        "query in a constant of another module": {
            "queries.py": 'WANTED = "k + {}"\n',
            "steps.py": """
                import pandas as pd
                import queries
                k = [[1||2]]
                def run(): return int(pd.eval(queries.WANTED.format(1)))
                """,
        },
        "query in a constant of a module loaded in the body": {
            "one.py": """
                import pandas as pd
                k = [[1||2]]
                WANTED = "k + 1"
                def f(): return int(pd.eval(WANTED))
                """,
            "steps.py": "def run():\n    from one import f\n    return f()\n",
        },
        "query in a helper's hands": """
            import pandas as pd
            lim = [[1||2]]
            def chosen(frame, wanted, lim): return len(frame.query(wanted))
            def run():
                return chosen(pd.DataFrame({"a": [1, 2, 3]}), "a > @lim", lim)
            """,
        "function of a query": """
            import pandas as pd
            def cut(column): return column > [[1||2]]
            def run(): return len(pd.DataFrame({"a": [1, 2, 3]}).query("@cut(a)"))
            """,
        "function of a module in a query": {
            "cuts.py": "def cut(column): return column > [[1||2]]\n",
            "steps.py": """
                import pandas as pd
                import cuts
                def run(): return len(pd.DataFrame({"a": [1, 2, 3]}).query("@cuts.cut(a)"))
                """,
        },
        "addend of an expression": """
            import pandas as pd
            K = [[1||2]]
            def run(): return pd.DataFrame({"a": [1]}).eval("a + @K").tolist()
            """,
        "expression of names alone": """
            import pandas as pd
            k = [[1||2]]
            def run(): return int(pd.eval("k + 1"))
            """,
        "expression given by its parameter": """
            import pandas as pd
            k = [[1||2]]
            def run(): return int(pd.eval(expr="k + 1"))
            """,
        "expression that is put together": """
            import pandas as pd
            k = [[1||2]]
            def run(more="1"):
                text = "k + "
                return int(pd.eval(text + more))
            """,
        "helper loaded in the body (whole module)": {
            "one.py": "import pandas as pd\nlim = [[1||2]]\n"
            'def f(): return len(pd.DataFrame({"a": [1, 2, 3]}).query("a > @lim"))\n',
            "steps.py": "def run():\n    import one\n    return one.f()\n",
        },
        "table of a statement in SQL": {
            "site-packages/fw_shape_texts.py": _LIBRARY,
            "steps.py": """
                import fw_shape_texts as tables
                numbers = [1, [[1||2]]]
                def run(): return tables.sql("SELECT * FROM numbers")
                """,
        },
        "table of a statement that is filled in": {
            "site-packages/fw_shape_texts.py": _LIBRARY,
            "steps.py": """
                import fw_shape_texts as tables
                numbers = [1, [[1||2]]]
                def run(limit=3): return tables.connect().execute(f"FROM numbers LIMIT {limit}")
                """,
        },
        "expression of a library loaded in the body": {
            "site-packages/fw_shape_texts.py": _LIBRARY,
            "steps.py": """
                numbers = [1, [[1||2]]]
                def run():
                    from fw_shape_texts import evaluate
                    return evaluate("numbers")
                """,
        },
        "function of a formula": {
            "site-packages/fw_shape_texts.py": _LIBRARY,
            "steps.py": """
                import fw_shape_texts as tables
                def scaled(): return [[1||2]]
                def run(): return tables.ols("y ~ scaled")()
                """,
        },
        "local names of a query that change places": """
            import pandas as pd
            def run():
                [[low||high]] = 1
                [[high||low]] = 2
                return len(pd.DataFrame({"a": [1, 2, 3]}).query("a > @low"))
            """,
    },
)
