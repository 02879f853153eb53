"""What Dask is to compute later: its tasks have names made at random."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

DELAYED = shapes_from(
    "delayed",
    {
        "dask delayed value": """
            import dask
            x = dask.delayed([1,2])
            def run(): return dask.compute(x)[0] + [ [[1||2]] ]
            """,
        "dask delayed fn": """
            import dask
            def f(): return [[1||2]]
            x = dask.delayed(f)
            def run(): return dask.compute(x())[0]
            """,
        "dask delayed call": """
            import dask
            def f(a): return a + [[1||2]]
            x = dask.delayed(f)(1)
            def run(): return dask.compute(x)[0]
            """,
        "dask delayed decorated": """
            import dask
            @dask.delayed
            def f(a): return a + [[1||2]]
            def run(): return f(1).compute()
            """,
        "dask delayed tree": """
            import dask
            @dask.delayed
            def f(a): return a + [[1||2]]
            @dask.delayed
            def g(a, b): return a + b
            t = g(f(1), f(2))
            def run(): return t.compute()
            """,
        "dask delayed arg edit": """
            import dask
            @dask.delayed
            def f(a): return a
            t = f([[1||2]])
            def run(): return t.compute()
            """,
        "dask delayed method attr": """
            import dask
            t = dask.delayed("a-b").split([["-"||"b"]])
            def run(): return t.compute()
            """,
        "dask bag": """
            import dask.bag as db
            b = db.from_sequence([1, [[2||3]]])
            def run(): return b.compute(scheduler="sync")
            """,
        "dask array": """
            import dask.array as da
            b = da.arange([[2||3]]) + 1
            def run(): return b.compute(scheduler="sync")
            """,
        "dask frame": """
            import dask.dataframe as dd, pandas as pd
            b = dd.from_pandas(pd.DataFrame({"a": [1, [[2||3]]]}), npartitions=1)
            def run(): return b.a.sum().compute(scheduler="sync")
            """,
        "dask random": """
            import dask.array as da
            b = da.random.default_rng([[1||2]]).random(3)
            def run(): return b.compute(scheduler="sync").tolist()
            """,
        "dask delayed pure": """
            import dask
            x = dask.delayed(sum, pure=True)([1, [[2||3]]])
            def run(): return x.compute()
            """,
        "dask delayed two of the same": """
            import dask
            def f(a): return a + [[1||2]]
            d = dask.delayed(f)
            X = [d(1), d(2), d(1)]
            def run(): return dask.compute(*X)
            """,
    },
)
