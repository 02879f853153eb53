"""FlowWeaver's own objects, and the user's functions in them."""

from __future__ import annotations

from tests.fingerprint.shapes.shape import shapes_from

_RUN = "def run(): return SequentialExecutor().execute(w)['a']"

_PROGRAMS = {
    "function of a task": "@task\ndef f(): return [[1||2]]\ndef run(): return f()",
    "task in a dict": "def f(): return [[1||2]]\ntasks = {'a': Task('a', f)}\n"
    "def run(): return tasks['a']()",
    "options of a task": "@task(retries=[[1||2]])\ndef f(): return 1\n"
    "def run(): return f.options.retries",
    "options of a derived task": "@task\ndef f(): return 1\n"
    "g = f.with_options('g', retries=[[1||2]])\ndef run(): return g.options.retries",
    "options of a task in a list": "tasks = [Task('a', len, retries=[[1||2]])]\n"
    "def run(): return tasks[0].options.retries",
    "name of a task": "t = Task('[[a||b]]', len)\ndef run(): return t.name",
    "wait of a task in a list": "def wait(error, number): return [[1||2]]\n"
    "tasks = [Task('a', len, backoff=wait)]\n"
    "def run(): return tasks[0].options.backoff.ask(None, 1)",
    "class of a task": "class Step(Task):\n    def more(self): return [[1||2]]\n"
    "t = Step('a', len)\ndef run(): return t.more()",
    "function put on a task's function": "def f(): return 1\nt = Task('a', f)\n"
    "t.fn.more = lambda: [[1||2]]\ndef run(): return t.fn.more()",
    "wait": "wait = exponential([[1.0||2.0]])\ndef run(): return wait.initial",
    "wait that asks a function": "from flowweaver.definitions.retry import AskedBackoff\n"
    "def ask(error, number): return [[1||2]]\nwait = AskedBackoff(ask=ask)\n"
    "def run(): return wait.told(ValueError(), 1)",
    "mark of a mapped input": "mark = each('[[a||b]]')\ndef run(): return mark.source",
    "input file": "path = InputFile('[[a||b]].txt')\ndef run(): return path.name",
    "output file": "path = OutputFile('[[a||b]].txt')\ndef run(): return str(path)",
    "status": "wanted = TaskStatus.[[FAILED||SKIPPED]]\ndef run(): return wanted.value",
    "status in a tuple": "wanted = (TaskStatus.[[FAILED||SKIPPED]],)\n"
    "def run(): return wanted[0].value",
    "failure": "failed = Failure('a', '[[b||c]]')\ndef run(): return failed.message",
    "error": "error = FlowWeaverError('[[a||b]]')\ndef run(): return str(error)",
    "secret that counts": "word = Secret('a-long-word-[[1||23]]', counts=True)\n"
    "def run(): return len(word.reveal())",
    "command": "say = shell('echo [[1||2]]')\ndef run(): return say()",
    "workflow": f"def f(): return [[1||2]]\nw = Workflow('w', [Task('a', f)])\n{_RUN}",
    "workflow in a list": "def f(): return [[1||2]]\nws = [Workflow('w', [Task('a', f)])]\n"
    "def run(): return SequentialExecutor().execute(ws[0])['a']",
    "workflow in a closure": "def made():\n    def f(): return [[1||2]]\n"
    "    w = Workflow('w', [Task('a', f)])\n"
    "    return lambda: SequentialExecutor().execute(w)['a']\nrun = made()",
    "workflow of a class": "def f(): return [[1||2]]\n"
    "class Setting:\n    executor = ThreadedExecutor(2)\n    w = Workflow('w', [Task('a', f)])\n"
    "def run(): return Setting.executor.execute(Setting.w)['a']",
    "workflow of another module": {
        "inner.py": "from flowweaver import *\ndef f(): return [[1||2]]\n"
        "w = Workflow('w', [Task('a', f)])\n",
        "steps.py": f"from flowweaver import *\nfrom inner import w\n{_RUN}\n",
    },
    "workflow in a workflow": "def f(): return [[1||2]]\ninner = Workflow('i', [Task('a', f)])\n"
    f"w = Workflow('w')\nw.add_task(inner, name='a')\n{_RUN}",
    "condition in a workflow": "def asked(): return [[True||False]]\n"
    "w = Workflow('w', [Task('a', lambda: 5, when=asked)])\n"
    "def run(): return SequentialExecutor().execute(w).tasks['a'].status.value",
    "inputs in a workflow": "w = Workflow('w', [Task('b', lambda: 1), Task('c', lambda: 2)])\n"
    f"w.add_task(lambda x: x, inputs={{'x': '[[b||c]]'}}, name='a')\n{_RUN}",
    "inputs of a task in a workflow": "w = Workflow('w', [Task('b', lambda: 1),"
    " Task('c', lambda: 2), Task('a', lambda x: x, inputs={'x': '[[b||c]]'})])\n" + _RUN,
    "name of a task in a workflow": "w = Workflow('w', [Task('[[b||c]]', lambda: 1)])\n"
    "def run(): return list(SequentialExecutor().execute(w).tasks)",
    "name of a workflow": "w = Workflow('[[v||w]]', [Task('a', lambda: 1)])\n"
    "def run(): return w.name",
    "class of a workflow": "class Flow(Workflow):\n    def more(self): return [[1||2]]\n"
    "w = Flow('w', [Task('a', lambda: 1)])\ndef run(): return w.more()",
    "class of an executor": "class Own(SequentialExecutor):\n"
    "    def more(self): return [[1||2]]\nex = Own()\ndef run(): return ex.more()",
    "method of an executor": "def f(): return [[1||2]]\nw = Workflow('w', [Task('a', f)])\n"
    "go = SequentialExecutor().execute\ndef run(): return go(w)['a']",
    "partial of a method of an executor": "import functools\ndef f(): return [[1||2]]\n"
    "go = functools.partial(SequentialExecutor().execute, Workflow('w', [Task('a', f)]))\n"
    "def run(): return go()['a']",
    "run at the top": "def f(): return [[1||2]]\n"
    "done = SequentialExecutor().execute(Workflow('w', [Task('a', f)]))\n"
    "def run(): return done['a']",
    "store beside a value": "kept = [MemoryStateStore(), [[1||2]]]\ndef run(): return kept[1]",
}

OURSELVES = shapes_from(
    "ours",
    {
        name: f"from flowweaver import *\n{text}\n" if isinstance(text, str) else text
        for name, text in _PROGRAMS.items()
    },
)
