"""Commands of the system as steps of a workflow, beside Python functions.

flowweaver run shell_steps.py -p source=access.log
"""

from pathlib import Path

from flowweaver import Workflow, shell, task

packed = shell(
    "gzip -9 -kf {source}",
    name="packed",
    reads=["source"],
    outputs=["{source}.gz"],
    timeout=600,
)
digest = shell(["cksum", "{packed}"], name="digest")
errors = shell("gzip -dc {packed} | grep -c ERROR", name="errors", use_shell=True, codes=(0, 1))


@task
def summary(packed: Path, digest: str, errors: str) -> dict[str, int]:
    return {
        "bytes": packed.stat().st_size,
        "checksum": int(digest.split(maxsplit=1)[0]),
        "errors": int(errors),
    }


archive = Workflow("archive", [packed, digest, errors, summary])
