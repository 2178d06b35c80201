"""The Qt window answers, learns and forgets while its event loop turns, and leaves nothing open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from command import content
from expenses import PAIRS
from one_page import load, refused_page, run_page

from edge_icl import Memory, StoreClosedError
from edge_icl.store.lock import locked

QtCore = pytest.importorskip("PySide6.QtCore", reason="PySide6 is not installed", exc_type=ImportError)
pytest.importorskip("PySide6.QtWidgets", reason="Qt needs libEGL (Debian: libegl1)", exc_type=ImportError)

PATIENCE = 60.0


@pytest.fixture(scope="module")
def page() -> Iterator[ModuleType]:
    """The program, with an application that has no screen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        program = load("window_pyside")
        application = program.QApplication([])
        yield program
        application.shutdown()


@pytest.fixture
def memory(models_home: Path) -> Iterator[Memory]:
    with Memory.create("work", seed=bytes(range(32)), shots=4) as memory:
        memory.add_many(PAIRS)
        yield memory


class Driver:
    """The window, as a user has it in front of them."""

    def __init__(self, page: ModuleType, memory: Memory) -> None:
        from PySide6.QtTest import QTest

        self.test, self.left = QTest, QtCore.Qt.MouseButton.LeftButton
        self.window = page.Window(memory)
        self.window.show()

    def until(self, what: Callable[[], bool]) -> None:
        """Turn the event loop until something is so."""
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.window.said.text()
            self.test.qWait(10)

    def type(self, text: str) -> None:
        self.window.line.clear()
        self.test.keyClicks(self.window.line, text)

    def click(self, button: object) -> None:
        self.test.mouseClick(button, self.left)

    def says(self, text: str) -> None:
        self.until(lambda: self.window.said.text().startswith(text))


@pytest.fixture
def driver(page: ModuleType, memory: Memory) -> Iterator[Driver]:
    driver = Driver(page, memory)
    yield driver
    driver.window.close()
    driver.window.deleteLater()


def test_a_line_is_labelled_as_it_is_typed_corrected_and_forgotten(driver: Driver, memory: Memory) -> None:
    before = content(memory.path / "pages")
    driver.type("Uber to the airport")
    driver.says("travel, 100%")
    labels = [driver.window.label.itemText(row) for row in range(driver.window.label.count())]
    assert set(labels) == {"travel", "meals", "office"}
    assert driver.window.label.currentText() == "travel"

    driver.type("Felt pens")
    driver.says("office")
    driver.window.label.setEditText("art supplies")
    driver.click(driver.window.teach_button)
    driver.says("art supplies, 100%")
    assert driver.window.examples.item(0).text() == "art supplies: Felt pens"

    driver.window.examples.setCurrentRow(0)
    driver.click(driver.window.forget_button)
    driver.says("office")
    assert not memory.find(match="Felt pens")
    driver.until(lambda: content(memory.path / "pages") == before)


def test_the_window_is_alive_while_a_change_waits(driver: Driver, memory: Memory) -> None:
    driver.type("Printer toner")
    driver.says("office")

    with locked(memory.path, timeout=0):
        driver.window.label.setEditText("ink")
        driver.click(driver.window.teach_button)
        driver.type("Uber to the")
        assert driver.window.line.text() == "Uber to the"
        assert not memory.find(output="ink")
    driver.until(lambda: bool(memory.find(output="ink")))


def test_an_error_is_said_in_the_window(driver: Driver) -> None:
    driver.click(driver.window.teach_button)

    driver.says("the input is empty")


def test_closing_the_window_closes_the_memory_and_ends_the_thread(driver: Driver, memory: Memory) -> None:
    driver.type("Tell me about the sea")
    driver.window.ask()
    threads = threading.active_count()

    driver.window.close()

    with pytest.raises(StoreClosedError):
        len(memory)
    assert driver.window.pool.activeThreadCount() == 0
    assert threading.active_count() <= threads


def test_what_is_no_store_is_one_sentence(page: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no store")

    refused_page(run_page("window_pyside", "--store", tmp_path / "file"), "window_pyside", "not a store")
