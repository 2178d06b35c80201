"""Work that Ctrl-C must not cut: whatever the moment, it is seen out, and what it made is not lost track of."""

from __future__ import annotations

import _thread
import sys
import threading
from types import FrameType
from typing import Any

import pytest

from edge_icl.runtime import interruptible
from edge_icl.runtime.interruptible import Work, run


def test_the_result_and_the_error_are_those_of_the_work(earlier_threads: set[threading.Thread]) -> None:
    assert run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)
    assert {*threading.enumerate()} <= earlier_threads


def test_the_work_is_done_in_another_thread_and_its_reports_come_in_order_in_this_one() -> None:
    told: list[tuple[int, int]] = []

    def count() -> int:
        for number in range(100):
            work.tell(lambda number=number: told.append((number, threading.get_ident())))
        return threading.get_ident()

    work = Work(count)

    assert work.run() != threading.get_ident()
    assert told == [(number, threading.get_ident()) for number in range(100)]


def test_what_a_report_raises_stops_the_work_and_gives_its_result_back() -> None:
    stop, given_back = threading.Event(), []

    def report() -> None:
        raise LookupError

    def do() -> str:
        work.tell(report)
        stop.wait()
        return "made all the same"

    work = Work(do, stop=stop.set, discard=given_back.append)

    with pytest.raises(LookupError):
        work.run()

    assert given_back == ["made all the same"]
    assert not work_threads()


def test_ctrl_c_stops_the_work_while_this_thread_waits_and_again_while_it_waits_for_the_end() -> None:
    stop, given_back = threading.Event(), []

    def do() -> str:
        _thread.interrupt_main()
        stop.wait()
        _thread.interrupt_main()
        return "late"

    with pytest.raises(KeyboardInterrupt):
        Work(do, stop=stop.set, discard=given_back.append).run()

    assert given_back == ["late"]
    assert not work_threads()


def test_at_whatever_line_ctrl_c_comes_nothing_is_lost_and_nothing_goes_on(count: Any) -> None:
    """The work makes things that must be handed over or given back, as a loaded model must."""
    moment = interrupted = 0
    while True:
        moment += 1
        made, given_back = [], []

        def do(made: list[int] = made) -> int:
            made.append(1)
            return 1

        tracer = Interrupter(moment)
        try:
            with tracer:
                result = [Work(do, discard=given_back.append).run()]
        except KeyboardInterrupt:
            result = []
            interrupted += 1
        assert len(made) == len(result) + len(given_back), moment
        if not tracer.fired:
            break

    assert interrupted > 10
    count("lines at which Ctrl-C came", interrupted)


class Interrupter:
    """Raises KeyboardInterrupt at the nth line of the module that this thread comes to, up to the result."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self.fired = False

    def __enter__(self) -> None:
        sys.settrace(self)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != interruptible.__file__ or frame.f_code.co_name == "_end":
            return None
        if event == "line" and not self.fired:
            self.left -= 1
            if self.left == 0:
                self.fired = True
                raise KeyboardInterrupt
        return self


def work_threads() -> list[threading.Thread]:
    """The threads that are still at work; one that has done it may take a moment to go."""
    threads = [thread for thread in threading.enumerate() if thread.name == "edge-icl-work"]
    for thread in threads:
        thread.join(60)
    return [thread for thread in threads if thread.is_alive()]
