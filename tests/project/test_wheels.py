"""release/: the recipe for wheels. `make wheels` itself builds them, installs them and asks."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from repository import REPOSITORY


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the recipe."""
    monkeypatch.syspath_prepend(REPOSITORY / "release")
    yield __import__("recipe")
    del sys.modules["recipe"]


@pytest.fixture
def source(recipe: Any, tmp_path: Path) -> Path:
    """A folder with what the recipe looks for in llama-cpp-python's source."""
    for one in recipe.EDITS:
        path = tmp_path / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(f"{before}before\n{one.old}\nafter\n")
    return tmp_path


def wheel(folder: Path, *libraries: str, tag: str = "manylinux_2_34_x86_64") -> Path:
    path = folder / f"llama_cpp_python-1.0-py3-none-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("llama_cpp/__init__.py", *(f"llama_cpp/lib/{library}" for library in libraries)):
            archive.writestr(name, "")
    return path


WHOLE = ("libllama.so", "libggml.so", "libggml-base.so", "libggml-cpu-x64.so", "libggml-cpu-haswell.so")


def test_the_version_is_the_one_that_edge_icl_asks_for(recipe: Any) -> None:
    told = (REPOSITORY / "pyproject.toml").read_text()

    assert recipe.requirement(told) in told
    for wrong in ("", '"llama-cpp-python>=0.3"', told * 2):
        with pytest.raises(ValueError, match="does not pin"):
            recipe.requirement(wrong)


def test_the_source_is_changed_where_it_is_as_expected_and_refused_elsewhere(recipe: Any, source: Path) -> None:
    recipe.edit(source)

    registry = next(source.rglob("ggml-backend-reg.cpp")).read_text()
    assert "push_back(cwd)" not in registry
    assert "push_back(get_library_folder())" in registry
    assert not any("AMX_INT8" in path.read_text() for path in source.rglob("CMakeLists.txt"))
    with pytest.raises(ValueError, match="is not as the recipe expects"):
        recipe.edit(source)


def test_nothing_that_one_processor_alone_can_run_is_asked_for(recipe: Any, tmp_path: Path) -> None:
    words = recipe.settings(tmp_path)

    assert "--config-settings=cmake.define.GGML_NATIVE=OFF" in words
    assert "--config-settings=cmake.define.GGML_CPU_ALL_VARIANTS=ON" in words
    assert all(word.startswith("--config-settings=") for word in words)
    if sys.platform == "linux":
        assert "--config-settings=cmake.define.CMAKE_INSTALL_RPATH=$ORIGIN" in words


def test_a_wheel_that_is_fit_names_its_variants(recipe: Any, tmp_path: Path) -> None:
    fit = wheel(tmp_path, *WHOLE)

    assert recipe.faults(fit) == []
    assert recipe.variants(fit) == ["haswell", "x64"]


def test_a_wheel_that_is_not_fit_says_why(recipe: Any, tmp_path: Path) -> None:
    unfit = wheel(tmp_path, "libllama.so", "libllama.so.0", "ggml.dll", tag="linux_x86_64")

    assert recipe.faults(unfit) == [
        "libggml-base is not in it",
        "libllama is in it twice",
        "it has no variants for the CPU",
        "its tag does not say which glibc it needs",
    ]


def test_the_page_links_every_wheel_with_its_digest(recipe: Any) -> None:
    page = recipe.page({"b-1.whl": "bb", "a&b-1.whl": "aa"})

    assert re.findall(r'href="(.*?)"', page) == ["a&amp;b-1.whl#sha256=aa", "b-1.whl#sha256=bb"]
    page = recipe.page({"b-1.whl": "bb"}, address="https://example.org/v1/")
    assert re.findall(r'href="(.*?)"', page) == ["https://example.org/v1/b-1.whl#sha256=bb"]
