"""The bundle with which clients are told of the server: what it says is what the server is."""

from __future__ import annotations

import inspect
import json
import runpy
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from repository import REPOSITORY

import edge_icl
from edge_icl.cli.program import cli
from edge_icl.mcp.tools import TOOLS

FOLDER = REPOSITORY / "integrations" / "mcpb"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as `make mcpb` writes it."""
    build = runpy.run_path(str(FOLDER / "build.py"))["build"]
    path = build(tmp_path_factory.mktemp("dist"))
    assert path.read_bytes() == build(tmp_path_factory.mktemp("again")).read_bytes()
    return path


@pytest.fixture(scope="module")
def manifest(bundle: Path) -> dict[str, Any]:
    with zipfile.ZipFile(bundle) as archive:
        return json.loads(archive.read("manifest.json"))


def test_the_bundle_has_the_version_and_the_tools_of_the_server(bundle: Path, manifest: dict[str, Any]) -> None:
    assert manifest["version"] == edge_icl.__version__
    assert bundle.name == f"edge-icl-{edge_icl.__version__}.mcpb"
    assert [tool["name"] for tool in manifest["tools"]] == list(TOOLS)


def test_the_bundle_holds_what_its_manifest_names_and_nothing_that_is_compiled(
    bundle: Path, manifest: dict[str, Any]
) -> None:
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        assert archive.testzip() is None

    assert manifest["server"]["entry_point"] in names
    assert sorted(names) == ["README.md", "manifest.json", "server/start.py"]


def test_what_the_bundle_starts_is_a_command_that_there_is(manifest: dict[str, Any]) -> None:
    asked = manifest["user_config"]
    config = manifest["server"]["mcp_config"]
    args = [arg.replace("${user_config.store}", asked["store"]["default"]) for arg in config["args"]]

    assert config["command"] == "${user_config.program}"
    assert all(one["required"] and one["default"] for one in asked.values())
    assert args == ["--store", "assistant", "mcp"]
    assert CliRunner().invoke(cli, [*args, "--help"]).exit_code == 0


def test_the_bundle_tells_what_must_be_installed_before(manifest: dict[str, Any]) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    for text in (manifest["long_description"], inspect.cleandoc(readme)):
        assert "models fetch" in text
        assert "`mcp`" in text
