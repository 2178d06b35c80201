"""The loop of `learn`: a question, its answer, what the user says to it, and what the store learns from that.

Each answer that is taught is a commit of its own: it is in the store before the next question is shown, and
whatever ends the program leaves the store with what was taught so far.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from edge_icl.cli import answers, dialogue, sight, slips, typed
from edge_icl.cli.pool import Question
from edge_icl.cli.tables import counted, cut, one_line
from edge_icl.cli.typed import Typing
from edge_icl.errors import ExampleNotFoundError, InputError, StoreBusyError, StoreEmptyError
from edge_icl.example import Example, normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_icl.answer.options import Options
    from edge_icl.cli.output import Output
    from edge_icl.cli.pool import Pool
    from edge_icl.cli.session import Session
    from edge_icl.cli.teaching import Labels
    from edge_icl.cli.typed import Meaning
    from edge_icl.memory import Memory
    from edge_icl.results import Answer

QUESTION = "question> "


@dataclass(slots=True)
class Step:
    """Something that was taught.

    Attributes:
        question: what was asked.
        counted: as what it counts: "confirmed", "corrected" or "told".
        undo: takes it back.
    """

    question: Question
    counted: str
    undo: Callable[[], object]


@dataclass(slots=True)
class Learning:
    """A user and a store, question by question.

    Attributes:
        session: where all is shown.
        memory: the store.
        pool: questions of a file; None where the user types them.
        options: how they are answered.
        given: tags and source of what is taught.
        steps: what was taught, and not taken back.
        skipped: how many questions got no answer from the user.
    """

    session: Session
    memory: Memory
    pool: Pool | None
    options: Options
    given: Labels
    steps: list[Step] = field(default_factory=list)
    skipped: int = 0
    _again: list[Question] = field(default_factory=list)
    _outputs: Mapping[str, int] = field(default_factory=dict)
    _root: str = ""
    _told: bool = False

    def run(self) -> None:
        """Go from question to question until the user ends it, or none is left."""
        try:
            while (question := self._next()) is not None and self._answered(question):
                pass
        finally:
            self.output.line(self.summary())

    @property
    def output(self) -> Output:
        """Where all is shown."""
        return self.session.output

    def undo(self) -> None:
        """Take back what was taught last; its question comes again."""
        if not self.steps:
            self.output.note("there is nothing to take back")
            return
        step = self.steps.pop()
        try:
            step.undo()
        except ExampleNotFoundError:
            self.output.note("it is not in the store any more")
        self._again.append(step.question)
        self.output.line(self._cut("taken back: ", step.question.text))

    def summary(self) -> str:
        """Return what was done, in a sentence."""
        counts = Counter(step.counted for step in self.steps)
        parts = [f"{counts[name]:,} {name}" for name in ("confirmed", "corrected") if counts[name]]
        how = f" ({', '.join(parts)})" if parts else ""
        return f"taught {counted(len(self.steps))}{how}, skipped {self.skipped:,}{self._right('; ')}"

    def _right(self, before: str) -> str:
        """Return how many answers were right so far, as a share too."""
        counts = Counter(step.counted for step in self.steps)
        right, all_ = counts["confirmed"], counts["confirmed"] + counts["corrected"]
        return (
            f"{before}{right:,} of {counted(all_, 'answer')} right ({100 * right / all_:.0f} %)" if all_ else ""
        )

    def _next(self) -> Question | None:
        """Return the question that comes next; None at the end."""
        while not self._again:
            if self.pool is not None:
                return self.pool.next()
            self.output.line()
            try:
                line = self.output.typed(QUESTION)
                command = "end" if line is None else typed.command(line)
                if line is not None and command is None:
                    return Question(normalise(typed.plain(line), "question"))
            except InputError as error:
                self.output.note(str(error))
                continue
            if command == "end":
                return None
            if command == "undo":
                self.undo()
            else:
                self.output.note("type a question; u takes back what was taught last, q ends")
        return self._again.pop()

    def _answered(self, question: Question) -> bool:
        """Show a question until the user has said something to it; return whether to go on."""
        left = "" if self.pool is None else f", {self.pool.left + len(self._again):,} more left"
        self.output.line()
        self.output.heading(f"question {len(self.steps) + self.skipped + 1:,}{left}{self._right('; ')}")
        dialogue.show_question(self.output, question)
        try:
            answer = self._ask(question)
        except InputError as error:
            self.output.note(str(error))
            self.skipped += 1
            return True
        typing = Typing(self._labels(answer), dialogue.offered(answer, self.output.size[0]))
        dialogue.show_answer(self.output, question, answer, typing)
        return self._heard(question, answer, typing)

    def _ask(self, question: Question) -> Answer | None:
        """Return the answer; None where the store is empty."""
        try:
            with self.output.progress():
                return self.memory.ask(question.text, self.options)
        except StoreEmptyError:
            return None

    def _labels(self, answer: Answer | None) -> tuple[str, ...] | None:
        """Return the labels of the store; None where its outputs are free text."""
        if self._root != (root := self.memory.root):
            self._root, self._outputs = root, self.memory.outputs()
        if answer is not None and answer.labelling is not None:
            labelling = answer.labelling.labels
        elif self.options.labels == "auto":
            labelling = self.memory.labelling().labels
        else:
            labelling = self.options.labels == "on"
        return tuple(sorted(self._outputs)) if labelling else None

    def _heard(self, question: Question, answer: Answer | None, typing: Typing) -> bool:
        """Do what the user types until that settles the question; return whether to go on."""
        while True:
            try:
                line = self.output.typed(slips.PROMPT, typing.labels or ())
            except InputError as error:
                self.output.note(str(error))
                continue
            meaning = None if line is None else typing.meaning(line)
            if meaning is None or meaning.kind == "end":
                return False
            if meaning.kind == "undo" and self.steps:
                self._again.append(question)
                self.undo()
                return True
            if meaning.kind == "skip":
                self.skipped += 1
                if self.pool is not None:
                    self.pool.passed(question)
                return True
            if self._settled(question, answer, meaning):
                return True

    def _settled(self, question: Question, answer: Answer | None, meaning: Meaning) -> bool:
        """Teach what a line means, or say why that is not possible; return whether the question is settled."""
        if meaning.kind == "undo":
            self.undo()
            return False
        if meaning.kind == "examples":
            self._show_examples(question, answer)
            return False
        right = meaning.kind == "right"
        text = (answer.text if answer else None) if right else slips.meant(self.output, meaning, self._outputs)
        if text is None:
            if right:
                self.output.note("there is no answer to confirm: type one")
            return False
        try:
            return self._teach(question, answer, text)
        except (InputError, StoreBusyError) as error:
            self.output.note(str(error))
            return False

    def _show_examples(self, question: Question, answer: Answer | None) -> None:
        """Show the whole question, and the examples behind its answer."""
        self.output.line("\n".join(f"  {line}" for line in question.text.split("\n")))
        if answer is not None:
            answers.show_examples(self.session, self.memory, answer)

    def _teach(self, question: Question, answer: Answer | None, text: str) -> bool:
        """Teach a text as the answer to a question; return whether the question is settled.

        Raises:
            InputError: the text is not valid, or too long for the model.
            StoreBusyError: another process does not let the store be changed.
        """
        example = Example.create(question.text, text, tags=self.given.tags, source=self.given.source)
        right = answer is not None and answer.text == example.output
        name = "told" if answer is None or answer.text is None else "confirmed" if right else "corrected"
        if answer is not None and answer.kind == "recalled":
            if not right:
                return self._replace(question, answer, example)
            self.output.line("it is taught already")
            return True
        vectors = None if question.vector is None else [question.vector]
        added = self.memory.add_many([example], vectors=vectors)
        if added.added:
            self._done(Step(question, name, partial(self.memory.forget, added.ids[0])), added.ids[0], example)
        if not self._told and (added.unread or added.cut):
            self._told = True
            sight.tell(self.session, self.memory, unread=added.unread, cut=added.cut, of=1)
        return True

    def _replace(self, question: Question, answer: Answer, example: Example) -> bool:
        """Put another output in the place of one that was taught for the question before, if that is meant."""
        ids = [held.id for held in answer.examples]
        if len(ids) > 1:
            fix = self.session.fix(self.memory, ids[0], example.output)
            self.output.note(f"the question was taught {len(ids)} times; correct each, such as with: {fix}")
            return False
        old = answer.examples[0].output
        put = f"it was taught with {slips.named(old)}; put {slips.named(example.output)} in its place?"
        if not slips.sure(self.output, put):
            return False
        new = self.memory.replace(ids[0], output=example.output).new
        self._done(Step(question, "corrected", partial(self.memory.replace, new, output=old)), new, example)
        return True

    def _done(self, step: Step, id: str, example: Example) -> None:
        """Note what was taught, and show it."""
        self.steps.append(step)
        self.output.line(self._cut(f"taught {self.session.short(self.memory, id)}: ", example.output))

    def _cut(self, words: str, text: str) -> str:
        """Return our words and a text on one line of the terminal."""
        return cut(f"{words}{one_line(text)}", self.output.size[0])
