"""Build the bundle for assistants, `dist/edge-icl-VERSION.mcpb`: a zip archive with its manifest.

The same files give the same bytes. `npx @anthropic-ai/mcpb validate manifest.json` checks the manifest.
"""

import json
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("manifest.json", "README.md", "server/start.py")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest that the format knows, for every file."""


def build(folder: Path) -> Path:
    """Write the bundle into a folder, and return its path."""
    version = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))["version"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"edge-icl-{version}.mcpb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            entry = zipfile.ZipInfo(name, FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (HERE / name).read_bytes())
    return path


if __name__ == "__main__":
    build(HERE.parents[1] / "dist")
