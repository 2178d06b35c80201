"""The GGUF check: whole files pass, and nothing else does, whatever its bytes."""

import ctypes
import struct
from pathlib import Path

import ggufs
import numpy as np
import pytest
import tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_icl.errors import ModelFileError
from edge_icl.models import gguf, location
from edge_icl.models.catalogue import DEFAULT_LLM

WHOLE = tiny.gguf()
many = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(folder: Path, data: bytes) -> str:
    """Check these bytes: the complaint, empty for a whole file. Any other exception is a failure."""
    path = folder / "model.gguf"
    path.write_bytes(data)
    try:
        gguf.check(path)
    except ModelFileError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("version", [2, 3])
def test_a_whole_file_passes(tmp_path: Path, version: int) -> None:
    assert outcome(tmp_path, tiny.gguf(version=version)) == ""


def test_the_default_model_passes(models_home: Path) -> None:
    assert models_home.exists()
    gguf.check(location.find_llm(DEFAULT_LLM).path)


def test_every_proper_beginning_is_refused(tmp_path: Path) -> None:
    assert all(outcome(tmp_path, WHOLE[:length]) for length in range(len(WHOLE)))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not a GGUF"),
        (b"GGML" + WHOLE[4:], "not a GGUF"),
        (tiny.gguf(version=1), "version 1"),
        (struct.pack(">I", 0x47475546) + struct.pack(">I", 3) + WHOLE[8:], "version 50331648"),
        (tiny.gguf(tensor_type=99), "type 99"),
        (tiny.gguf(tensor_type=12), "misplaced"),
        (WHOLE[:-1], "truncated"),
        (WHOLE[:8] + struct.pack("<QQ", 1 << 60, 1) + WHOLE[24:], "which no model has"),
        (WHOLE[:8] + struct.pack("<QQ", 0, 5) + WHOLE[24:], "no tensors"),
        (WHOLE[:24] + struct.pack("<Q", 1 << 63) + WHOLE[32:], "truncated"),
    ],
)
def test_the_complaint_says_what_is_wrong(tmp_path: Path, data: bytes, complaint: str) -> None:
    assert complaint in outcome(tmp_path, data)


def test_a_file_that_cannot_be_read_is_a_model_file_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        gguf.check(tmp_path)


@many
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_only_ever_raise_model_file_error(tmp_path: Path, data: bytes) -> None:
    outcome(tmp_path, data)
    outcome(tmp_path, b"GGUF\3\0\0\0" + data)


@many
@given(data=st.data())
def test_a_mutated_header_only_ever_raises_model_file_error(tmp_path: Path, data: st.DataObject) -> None:
    mutated = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        layout, largest = data.draw(st.sampled_from([("<B", 1 << 8), ("<I", 1 << 32), ("<Q", 1 << 64)]))
        at = data.draw(st.integers(4, len(mutated) - 8))
        extreme = st.sampled_from([0, 1, largest // 2, largest - 1])
        struct.pack_into(layout, mutated, at, data.draw(extreme | st.integers(0, largest - 1)))

    outcome(tmp_path, bytes(mutated[: data.draw(st.integers(0, len(mutated)))]))


def test_tensor_sizes_are_llama_cpps_own(tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    library = next((Path(llama_cpp.__file__).parent / "lib").glob("libggml-base*"))
    ggml = ctypes.CDLL(str(library))
    ggml.ggml_type_size.restype = ctypes.c_size_t
    ggml.ggml_blck_size.restype = ctypes.c_int64

    for kind in (*range(4), *range(6, 31), 34, 35, 39):
        block, size = ggml.ggml_blck_size(kind), ggml.ggml_type_size(kind)
        weights = 4 * block * 64  # a whole file needs 4 bytes a weight at most; int64 and float64 need 8
        data = tiny.gguf(tensor_type=kind, weights=weights)
        header = len(data) - 4 * weights
        needed = weights // block * size
        assert outcome(tmp_path, data[:header] + bytes(needed)) == ""
        assert "truncated" in outcome(tmp_path, data[:header] + bytes(needed - 1))


def test_parts_are_all_files_of_a_model_in_order(tmp_path: Path) -> None:
    alone, files = ggufs.llama(tmp_path / "one.gguf"), ggufs.split(ggufs.llama(tmp_path / "a.gguf"), parts=3)

    assert gguf.parts(alone) == gguf.check(alone) == (alone,)
    assert gguf.parts(files[0]) == gguf.check(files[0]) == tuple(files)


def test_what_is_not_all_parts_from_the_first_on_is_refused_with_what_to_do(tmp_path: Path) -> None:
    first, second, third = ggufs.split(ggufs.llama(tmp_path / "a.gguf"), parts=3)
    complaints = []

    def complain() -> None:
        for look, path in ((gguf.check, first), (gguf.parts, first), (gguf.parts, second)):
            try:
                look(path)
            except ModelFileError as error:
                complaints.append(str(error))

    complain()
    hint = "give the path of its first part, which ends in -00001-of-00003.gguf"
    assert complaints == [f"{second} is part 2 of 3 of a model; {hint}"]
    third.rename(third.with_name("elsewhere.gguf"))
    complain()
    assert (
        complaints[1:3]
        == [
            f"{third} is missing: the model comes in 3 files; put them all into one folder",
        ]
        * 2
    )
    third.write_bytes(second.read_bytes())
    with pytest.raises(ModelFileError, match="is not part 3 of 3 of the model"):
        gguf.check(first)
    with pytest.raises(ModelFileError, match=r"its name hides .* ends in -00001-of-00003\.gguf"):
        gguf.check(first.rename(tmp_path / "model.gguf"))


@pytest.mark.parametrize("count", [-1, 1.5, True, 1 << 17])
def test_a_count_of_parts_that_none_can_have_is_refused(tmp_path: Path, count: float) -> None:
    value = np.int32(count) if count == -1 else count
    data = ggufs.encoded({"split.count": value}, {"weights": np.zeros(8, np.float32)})

    assert "split.count" in outcome(tmp_path, data) or "one of 131072 parts" in outcome(tmp_path, data)


def test_the_context_is_read_without_the_vocabulary(tmp_path: Path) -> None:
    whole = ggufs.llama(tmp_path / "a.gguf", context=1234)

    assert gguf.context_length(whole) == 1234
    cut = whole.read_bytes()[: whole.read_bytes().index(b"tokenizer.ggml.tokens") - 8]
    (tmp_path / "cut.gguf").write_bytes(cut)
    assert gguf.context_length(tmp_path / "cut.gguf") == 1234
    (tmp_path / "none.gguf").write_bytes(WHOLE)
    assert gguf.context_length(tmp_path / "none.gguf") == 0
