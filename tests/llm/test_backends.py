"""llm.backends: llama.cpp's code for the processor comes from its own folder, and tells which it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_icl.errors import ModelError
from edge_icl.llm import backends, build, native
from edge_icl.llm.model import Model

pytest_plugins = ["llm_fixtures"]


class Apart:
    """A llama.cpp whose backends are in files apart: `found` says whether there is one for this processor."""

    def __init__(self, *, found: bool) -> None:
        self.looked_in: list[bytes] = []
        found_now = lambda: found and bool(self.looked_in)  # noqa: E731
        self.ggml = SimpleNamespace(
            ggml_backend_reg_count=lambda: int(found_now()),
            ggml_backend_load_all_from_path=self.looked_in.append,
            ggml_backend_dev_by_type=lambda _: 1 if found_now() else None,
        )


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where llama.cpp's libraries are: a folder with two variants."""
    for name in ("libggml-base.so", "libggml-cpu-haswell.so", "libggml-cpu-armv8.2_1.so", "libllama.so"):
        (tmp_path / name).touch()
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(tmp_path))
    return tmp_path


def test_the_variant_that_computes_is_one_of_those_that_are_there(model: Model) -> None:
    assert native.variant() in (build.variants() or ("",))


def test_variants_are_known_by_their_files(libraries: Path) -> None:
    assert build.variants() == ("armv8.2_1", "haswell")
    assert build.backends() == ("cpu",)
    for name in ("ggml-cpu-zen4.dll", "libggml-cpu-apple_m1.so.0.25"):
        (libraries / name).touch()
    assert build.variants() == ("apple_m1", "armv8.2_1", "haswell", "zen4")
    for name in ("libggml-cpu.so", "libggml-cpu.so.0.25.3", "libggml-cuda.so"):
        assert build.variant_of(libraries / name) == ""


def test_backends_apart_come_from_the_folder_of_llama_cpp_alone(
    libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = Apart(found=True)
    monkeypatch.setattr(backends, "_ggml", lambda: apart.ggml)

    backends.load()
    backends.load()

    assert apart.looked_in == [str(libraries).encode()]


def test_no_code_for_this_processor_is_told_before_llama_cpp_looks_elsewhere(
    libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart = Apart(found=False)
    monkeypatch.setattr(backends, "_ggml", lambda: apart.ggml)

    with pytest.raises(ModelError, match=f"no code for this processor in {libraries}") as caught:
        backends.load()

    assert caught.value.hint.startswith("compile it here: pip install ")


def test_a_state_that_another_variant_made_is_not_used(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for variant in ("", "haswell", "zen4"):
        monkeypatch.setattr("edge_icl.llm.model.variant", lambda name=variant: name)
        names.add(model.fingerprint())

    assert len(names) == 3
