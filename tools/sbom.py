"""The bill of materials that the wheel carries (PEP 770): what is in it that others have made.

A build hook of Hatchling. What FlowWeaver needs beside itself is in the wheel's metadata.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Beside vendored files: what they are, as a list of components.
_LISTS = "src/**/vendor/components.json"


class BillOfMaterials(BuildHookInterface[BuilderConfig]):
    """Puts the bill into ``.dist-info/sboms/``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the bill and have it packed."""
        if version == "editable":
            return
        metadata = self.metadata
        bill = bill_of(Path(self.root), metadata.core.raw_name, metadata.version)
        path = Path(self.root, "build", f"{metadata.core.name}.cdx.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
        build_data["sbom_files"].append(str(path))


def bill_of(root: Path, name: str, version: str) -> dict[str, Any]:
    """Return the bill in the form of CycloneDX; the same for the same sources."""
    itself = f"pkg:pypi/{name}@{version}"
    components = [
        _vendored(listed)
        for path in sorted(root.glob(_LISTS))
        for listed in json.loads(path.read_text("utf-8"))
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, itself).urn,
        "version": 1,
        "metadata": {"component": _component(name, version, "MIT", itself)},
        "components": components,
        "dependencies": [
            {"ref": itself, "dependsOn": [component["bom-ref"] for component in components]}
        ],
    }


def _vendored(listed: dict[str, str]) -> dict[str, Any]:
    package = f"pkg:npm/{listed['name'].replace('@', '%40')}@{listed['version']}"
    return _component(listed["name"], listed["version"], listed["license"], package)


def _component(name: str, version: str, licence: str, package: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package,
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": licence}}],
        "purl": package,
    }
