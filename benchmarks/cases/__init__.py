"""What is measured, and what is to be reached: one file for each kind of cases."""

from benchmarks.cases import again, large, looking, running, starting

CASES = {
    case.name: case for kind in (running, again, starting, large, looking) for case in kind.CASES
}
