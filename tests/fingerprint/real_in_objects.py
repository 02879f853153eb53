"""Edits of classes and values that mean something, and the part that each of them is in."""

from __future__ import annotations

from tests.fingerprint.making import Edit, real
from tests.fingerprint.projects import CLASSES, TYPED, VALUES


def _class(name: str, culprit: str, old: str, new: str) -> Edit:
    return real(name, culprit, CLASSES, (old, new))


def _typed(name: str, culprit: str, old: str, new: str) -> Edit:
    return real(name, culprit, TYPED, (old, new))


def _value(name: str, culprit: str, old: str, new: str, target: str = "run") -> Edit:
    return real(name, culprit, VALUES, (old, new), f"steps:{target}")


_IN_CLASSES = [
    _class("method of a class in use", "steps.Cleaner.clean", "* self.factor", "- self.factor"),
    _class("method called by a method", "steps.Cleaner.shift", "value + self.offset", "value"),
    _class("method of a base class", "steps.Base.start", "return 1\n", "return 9\n"),
    _class("property edited", "steps.Cleaner.doubled", "self.offset * 2", "self.offset * 3"),
    _class("static method edited", "steps.Cleaner.plain", '"plain"', '"plane"'),
    _class("class method edited", "steps.Cleaner.make", "cls(7)", "cls(8)"),
    _class("default of a method changed", "steps.Cleaner.__init__", "offset=5", "offset=6"),
    _class("class constant changed", "steps.Cleaner", "factor = 2", "factor = 3"),
    _class("inner class edited", "steps.Cleaner.Inner", "depth = 1", "depth = 2"),
    _class("metaclass edited", "steps.Meta.__call__", '"meta"', '"beta"'),
    _class("base class added", "steps.Row", "class Row:", "class Row(Base):"),
    _class("dataclass default changed", "steps.Row", "number: int = 4", "number: int = 5"),
    _class("dataclass factory changed", "steps.Row", "lambda: [1]", "lambda: [2]"),
    _class("dataclass option added", "steps.Row", "@dataclass\n", "@dataclass(frozen=True)\n"),
    _class(
        "dataclass field annotated otherwise",
        "steps.Row",
        "    number: int = 4",
        "    number: 'ClassVar[int]' = 4",
    ),
    _class(
        "dataclass fields reordered",
        "steps.Row",
        '    key: str = "k"\n    number: int = 4\n',
        '    number: int = 4\n    key: str = "k"\n',
    ),
    _class("enumeration value changed", "steps.Level", "HIGH = 2", "HIGH = 3"),
    _class(
        "method overridden",
        "steps.Cleaner.stop",
        "    @staticmethod",
        '    def stop(self):\n        return "no"\n\n    @staticmethod',
    ),
    real(
        "method put in from outside",
        "steps.louder",
        f"{CLASSES}\n\ndef louder(self):\n    return 'LOUD'\n\n\nBase.stop = louder\n",
        ("'LOUD'", "'LOUDER'"),
    ),
    real(
        "class constant set from outside",
        "constant steps.Cleaner.factor",
        f"{CLASSES}\n\nCleaner.factor = 4\n",
        ("factor = 4", "factor = 5"),
    ),
    real(
        "class made by a function over another value",
        "closure rate of steps.make.<locals>.A.get",
        """
        def make(rate):
            class A:
                def get(self):
                    return rate
            return A

        A = make(1)

        def run():
            return A().get()
        """,
        ("make(1)", "make(2)"),
    ),
]

_IN_TYPED_CLASSES = [
    _typed("default of a named tuple", "steps.Place", "height: int = 3", "height: int = 4"),
    _typed("method of a named tuple", "steps.Place.up", "self.height + 1", "self.height + 2"),
    _typed("field of a typed dict", "steps.Options", "size: int", "width: int"),
    _typed(
        "flag added before another", "steps.Right", "    WRITE", "    EXECUTE = auto()\n    WRITE"
    ),
    _typed("method of an enumeration", "steps.Size.twice", "self * 2", "self * 3"),
    _typed(
        "method of an abstract class", "steps.Abstract.described", "{self.unit}", "sq{self.unit}"
    ),
    _typed("abstract method called by super", "steps.Abstract.area", "return 0", "return 1"),
    _typed("cached property edited", "steps.Square.border", "4 * self", "5 * self"),
    _typed("decorated method edited", "steps.Square.corners", "return 4\n", "return 5\n"),
    _typed("decorator of a method edited", "steps.checked", "[method(self)]", "(method(self),)"),
    _typed("method of a slotted class", "steps.Slotted.deeper", "depth + 1", "depth + 2"),
    _typed("default in a slotted class", "steps.Slotted", "depth: int = 7", "depth: int = 8"),
]

_IN_VALUES = [
    _value("closure value changed", "closure rate", "make(5)", "make(6)", "closed"),
    _value("closure edited", "steps.make.<locals>.inner", "x * rate", "x + rate", "closed"),
    _value("lambda edited", "steps.<lambda>", "x + 2", "x + 3", "second"),
    _value("partial argument changed", "partial steps.power", "n=3", "n=4", "cubed"),
    _value("partial's function edited", "steps.power", "x**n", "n**x", "cubed"),
    _value("bound state changed", "bound steps.Scaler.run", "Scaler(3)", "Scaler(4)", "bound"),
    _value("bound method edited", "steps.Scaler.run", "self(value)", "-self(value)", "bound"),
    _value(
        "method called by a bound method edited",
        "steps.Scaler.__call__",
        "value * self.factor",
        "value - self.factor",
        "bound",
    ),
    _value(
        "state of a callable object changed",
        "instance steps.Scaler",
        "Scaler(3)",
        "Scaler(4)",
        "scaler",
    ),
    _value(
        "callable object edited",
        "steps.Scaler.__call__",
        "value * self.factor",
        "value - self.factor",
        "scaler",
    ),
    _value("state of an object changed", "constant steps.scaler", "Scaler(3)", "Scaler(4)"),
    _value("function in a table edited", "steps.double", "2 * x", "3 * x"),
    _value("function in a table exchanged", "constant steps.TABLE", ": double", ": scaler"),
    _value("set in a table changed", "constant steps.TABLE", '{"a", "b", "c"}', '{"a", "b"}'),
    _value("pattern changed", "constant steps.PATTERN", '"a+"', '"a"'),
    _value("pattern's flags changed", "constant steps.PATTERN", ", re.I", ""),
    _value("decimal changed", "constant steps.PRICE", "1.10", "1.1"),
    _value("named tuple changed", "constant steps.ORIGIN", "Point(0, 1)", "Point(0, 2)"),
    _value("path changed", "constant steps.PLACES", "data.csv", "other.csv"),
    _value("path as text changed", "constant steps.PLACES", "x.txt", "y.txt"),
    _value("path as default changed", "default at", '"default"', '"other"'),
    _value("item getter changed", "constant steps.get", "itemgetter(1)", "itemgetter(0)"),
    _value("global filled in a loop changed", "constant steps.COUNTS", '"bc"', '"bd"'),
    real(
        "computed default changed",
        "default rows",
        "SIZE = 2\n\ndef run(rows=SIZE * 2):\n    return rows\n",
        ("SIZE * 2", "SIZE * 3"),
    ),
    real(
        "keyword-only default made by a helper changed",
        "default rows",
        "def size():\n    return 1\n\ndef run(*, rows=size()):\n    return rows\n",
        ("return 1", "return 2"),
    ),
    real(
        "generator started otherwise",
        "constant steps.lines",
        """
        def source(n):
            while True:
                yield n

        lines = source(1)

        def run():
            return next(lines)
        """,
        ("source(1)", "source(2)"),
    ),
    real(
        "global that the code itself writes starts otherwise",
        "definition steps.seen",
        "seen = 1\n\ndef run():\n    global seen\n    seen += 1\n    return seen\n",
        ("seen = 1", "seen = 5"),
    ),
]

REAL_IN_OBJECTS = (*_IN_CLASSES, *_IN_TYPED_CLASSES, *_IN_VALUES)
