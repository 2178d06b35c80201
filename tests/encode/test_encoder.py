"""The encoder: a text's vector is a function of the text alone, and errors are clear."""

import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_icl.encode.encoder import Encoder
from edge_icl.encode.settings import EncoderSettings, Network
from edge_icl.errors import ModelFileError
from edge_icl.models import location
from edge_icl.models.convert import convert

words = st.lists(st.sampled_from(tiny.WORDS[4:]), max_size=12).map(" ".join)
texts = st.lists(words | st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.bert(tmp_path_factory.mktemp("encoder"))
    (folder / "model.onnx").write_bytes(convert(folder))
    return folder


def make(folder: Path, *, scale: int = 100, max_tokens: int = 30, threads: int | None = 2) -> Encoder:
    settings = EncoderSettings(tiny.DIMENSION, scale, max_tokens)
    return Encoder([Network(folder / "model.onnx", folder / "tokenizer.json", settings)], threads=threads)


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return make(folder)


@settings(deadline=None, max_examples=60)
@given(texts=texts, threads=st.integers(1, 5))
def test_a_vector_is_the_same_alone_and_in_any_batch(
    folder: Path, encoder: Encoder, texts: list[str], threads: int
) -> None:
    together = make(folder, threads=threads).encode(texts)

    assert together.dtype == np.int8
    assert together.shape == (len(texts), tiny.DIMENSION)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_the_real_encoders_vectors_are_the_same_alone_and_in_any_batch(models_home: Path) -> None:
    assert models_home.exists()
    model = location.find_encoder()
    texts = [f"{'please ' * (i % 9)}pay {i} to my {'card' if i % 2 else 'account'}" for i in range(60)]

    together = Encoder(model.networks, threads=3).encode(texts)
    backwards = Encoder(model.networks, threads=1).encode(texts[::-1])

    assert np.array_equal(together, backwards[::-1])
    assert len({vector.tobytes() for vector in together}) == len(set(texts))


def test_vectors_are_the_graphs_output_scaled_rounded_and_clipped(folder: Path) -> None:
    session = onnxruntime.InferenceSession(
        (folder / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    ids = [2, tiny.WORDS.index("taxi"), tiny.WORDS.index("please"), 3]
    output = session.run(None, {"input_ids": np.array([ids])})[0]

    small = make(folder, scale=100).encode(["Taxi please"])[0]
    large = make(folder, scale=1000).encode(["Taxi please"])[0]

    assert np.array_equal(small, np.rint(output * 100))
    assert np.array_equal(large, np.clip(np.rint(output * 1000), -127, 127))
    assert {int(large.min()), int(large.max())} == {-127, 127}


def test_a_text_is_cut_at_max_tokens_and_not_where_the_tokenizer_says(folder: Path) -> None:
    encoder = make(folder, max_tokens=6)  # [CLS], four words, [SEP]

    cut, same, other = encoder.encode(["taxi to my cat " * 40, "taxi to my cat", "taxi to my dog"])

    assert np.array_equal(cut, same)
    assert not np.array_equal(cut, other)


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, tiny.DIMENSION)


def test_progress_goes_from_nothing_to_all(encoder: Encoder) -> None:
    calls = []

    encoder.encode(["taxi"] * 50, progress=lambda *call: calls.append(call))

    assert calls[0] == ("embed", 0, 50)
    assert calls[-1] == ("embed", 50, 50)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def native_threads() -> int:
    """Threads of this process, those of libraries counted where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def test_no_thread_outlives_the_call(folder: Path) -> None:
    make(folder, threads=1).encode(["warm up"])
    before = native_threads()

    make(folder, threads=4).encode(["taxi to my cat"] * 200)

    deadline = time.monotonic() + 10  # on a busy machine Linux still lists a thread that has been joined
    while native_threads() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert native_threads() <= before


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interruption_stops_long_before_the_end_and_leaves_no_thread(folder: Path, threads: int) -> None:
    class Texts(list[str]):
        taken = 0

        def __getitem__(self, key: object) -> object:
            self.taken += 1
            return super().__getitem__(key)

    def interrupt(_stage: str, done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    texts, before = Texts(["taxi to my cat"] * 20_000), threading.active_count()

    with pytest.raises(KeyboardInterrupt):
        make(folder, threads=threads).encode(texts, progress=interrupt)

    assert texts.taken < 400  # of 1,250 slices
    assert threading.active_count() <= before


def test_several_threads_may_share_an_encoder(folder: Path, encoder: Encoder) -> None:
    shared, results = make(folder), {}
    sentences = [" ".join(tiny.WORDS[4 + i : 9 + i]) for i in range(10)]

    def work(number: int) -> None:
        results[number] = shared.encode(sentences[number:])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = encoder.encode(sentences)
    assert all(np.array_equal(results[number], expected[number:]) for number in range(6))


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", [None, b"", b"not a model", "half"])
def test_a_damaged_file_is_named(folder: Path, tmp_path: Path, file: str, damage: object) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    data = (tmp_path / file).read_bytes()
    (tmp_path / file).unlink()
    if damage is not None:
        (tmp_path / file).write_bytes(data[: len(data) // 2] if damage == "half" else damage)

    with pytest.raises(ModelFileError, match=file):
        make(tmp_path).encode(["taxi"])


def test_a_graph_of_another_dimension_is_refused(folder: Path) -> None:
    wrong = Encoder([Network(folder / "model.onnx", folder / "tokenizer.json", EncoderSettings(384, 1, 9))])

    with pytest.raises(ModelFileError, match="384 dimensions"):
        wrong.encode(["taxi"])


def test_a_tokenizer_of_another_model_is_a_clear_error(folder: Path, tmp_path: Path) -> None:
    other = tiny.tokenizer()
    other.add_tokens(["zebra"])  # an id that the graph's table does not have
    other.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes())

    with pytest.raises(ModelFileError, match="does not run"):
        make(tmp_path).encode(["zebra"])
