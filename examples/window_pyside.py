r"""A window (PySide6) that labels a line as you type, learns from corrections and forgets, and never freezes.

    pip install edge-icl pyside6-essentials
    python examples/window_pyside.py --store work

Write a line: its label appears. Choose or write another one, and Teach stores it; Forget takes back the example
that is selected. The pattern to copy: a QThreadPool does the work, and its result comes back through a signal,
which Qt delivers in the window's thread. A question that the next key makes useless is cancelled. Closing the
window stops what runs, and then the memory is closed.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QThreadPool, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import edge_icl

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent

PAUSE = 250  # milliseconds without a key after which a line is asked


class Window(QWidget):
    done = Signal(object, object)

    def __init__(self, memory: edge_icl.Memory) -> None:
        super().__init__(windowTitle="edge-icl")
        self.memory, self.cancel, self.shown = memory, edge_icl.Cancel(), ()
        self.pool = QThreadPool(maxThreadCount=1)
        self.line = QLineEdit(placeholderText="Write a line", textEdited=self.typed)
        self.said = QLabel(" ", textFormat=Qt.TextFormat.PlainText, styleSheet="font-size: 20pt")
        self.label = QComboBox(editable=True, toolTip="The right label")
        self.teach_button = QPushButton("Teach", clicked=self.teach)
        self.examples = QListWidget()
        self.forget_button = QPushButton("Forget", clicked=self.forget)
        layout = QVBoxLayout(self)
        for widget in (self.line, self.said, self.label, self.teach_button, self.examples, self.forget_button):
            layout.addWidget(widget)
        self.timer = QTimer(singleShot=True, interval=PAUSE, timeout=self.ask)
        self.done.connect(self.deliver)
        self.learn_labels()

    def work(self, call: Callable[[], object], then: Callable[..., object]) -> None:
        """Call something in another thread, and then, in the window's, something with its result."""

        def run() -> None:
            try:
                result = call()
            except (edge_icl.AskCancelledError, edge_icl.StoreClosedError):
                pass  # nobody waits for it: the line has changed, or the window is closing
            except edge_icl.EdgeIclError as error:
                self.done.emit(self.said.setText, str(error))
            else:
                self.done.emit(then, result)

        self.pool.start(run)

    def deliver(self, then: Callable[..., object], result: object) -> None:
        then(result)

    def typed(self) -> None:
        self.cancel.set()
        self.timer.start()

    def ask(self) -> None:
        """Ask about the line; what is asked already is of no use any more."""
        self.cancel.set()
        line, self.cancel = self.line.text().strip(), edge_icl.Cancel()
        cancel = self.cancel
        if line:
            self.work(lambda: self.memory.ask(line, labels="on", cancel=cancel), self.show_answer)

    def show_answer(self, answer: edge_icl.Answer) -> None:
        """Show an answer, unless the line has changed since."""
        if self.cancel.is_set():
            return
        guess = ", a guess: this is unlike all that was taught" if answer.unlike else ""
        self.said.setText(f"{answer.text}, {answer.probability:.0%}{guess}")
        self.label.setEditText(answer.text)
        self.shown = answer.nearest or answer.examples
        self.examples.clear()
        self.examples.addItems([f"{held.output}: {held.input}" for held in self.shown])

    def teach(self) -> None:
        line, label = self.line.text().strip(), self.label.currentText().strip()
        self.work(lambda: self.memory.add(line, label), self.changed)

    def forget(self) -> None:
        if chosen := [self.shown[index.row()] for index in self.examples.selectedIndexes()]:
            self.work(lambda: self.memory.forget(chosen), self.changed)

    def changed(self, _: object) -> None:
        self.learn_labels()
        self.ask()

    def learn_labels(self) -> None:
        self.work(self.memory.outputs, lambda labels: (self.label.clear(), self.label.addItems(list(labels))))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close the memory, which stops what runs, and wait for the thread."""
        self.timer.stop()
        self.pool.clear()
        self.memory.close()
        self.pool.waitForDone()
        event.accept()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="default", help="its name, or its path")
    options = parser.parse_args()
    try:
        with edge_icl.Memory.open(options.store) as memory:
            application = QApplication([])
            window = Window(memory)
            window.show()
            application.exec()
    except edge_icl.EdgeIclError as error:
        sys.exit(f"window_pyside: error: {error}")


if __name__ == "__main__":
    main()
