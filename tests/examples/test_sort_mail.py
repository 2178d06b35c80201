"""Mail goes where mail like it went before, not a byte of it is lost, and forgetting a sender is exact."""

from __future__ import annotations

import contextlib
import email
import mailbox
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_page import EXAMPLES, load, refused_page, run_page

from edge_icl import Memory

SEED = bytes(range(32))

DATA = EXAMPLES / "data"
LABELS = ("work", "bills", "family")
ODD = (
    b"From nobody Thu Jan  1 00:00:00 1970\nFrom: =?nonsense?q?Ana_=FC?= <ANA@firm.example>\n"
    b"Subject: =?utf-8?b?broken\x00base64\n"
    b"Status: RO\n\n>From here on \xff\xfe\x00 bytes\nno newline at the end"
)


def bodies(*paths: Path) -> list[bytes]:
    """Return the messages of mailboxes, as they stand there, sorted."""
    found = []
    for path in paths:
        with contextlib.closing(mailbox.mbox(path, create=False)) as box:
            found += [box.get_bytes(key, from_=True).rstrip() for key in box.iterkeys()]
    return sorted(found)


@pytest.fixture
def taught(models_home: Path, tmp_path: Path) -> list[str]:
    """The words that teach copies of all sample mailboxes, to a store that is the same in every test."""
    Memory.create("mail", seed=SEED).close()
    for path in DATA.glob("*.mbox"):
        shutil.copyfile(path, tmp_path / path.stem)
    return [word for label in LABELS for word in ("--teach", f"{label}={tmp_path / label}")]


def keep(path: Path, kept: Callable[[bytes], bool]) -> None:
    """Leave only some messages in a mailbox."""
    path.write_bytes(b"".join(one + b"\n\n" for one in bodies(path) if kept(one)))


def test_mail_is_filed_by_label_to_the_byte_once_and_the_inbox_stays(taught: list[str], tmp_path: Path) -> None:
    inbox, folder = tmp_path / "inbox", tmp_path / "sorted"
    with inbox.open("ab") as file:
        file.write(ODD)
    inbox.chmod(0o400)
    before = inbox.read_bytes(), inbox.stat().st_mtime_ns

    dry = run_page("sort_mail", *taught, "--dry-run", inbox, folder)
    assert (dry.code, folder.exists()) == (0, False), dry.err
    ran = run_page("sort_mail", inbox, folder)

    assert (ran.code, ran.out) == (0, dry.out), ran.err
    filed = [line.split("\t")[0] for line in ran.out.splitlines()]
    assert filed[:4] == [*LABELS, "unsorted"], ran.out
    boxes = sorted(folder.iterdir())
    assert [path.name for path in boxes] == ["bills.mbox", "family.mbox", "unsorted.mbox", "work.mbox"]
    assert bodies(*boxes) == bodies(inbox)
    assert (inbox.read_bytes(), inbox.stat().st_mtime_ns) == before
    assert {path.stat().st_mode & 0o77 for path in boxes} == {0}


def test_what_is_filed_is_not_filed_again(taught: list[str], tmp_path: Path) -> None:
    inbox, folder = tmp_path / "inbox", tmp_path / "sorted"
    whole = inbox.read_bytes()
    keep(inbox, lambda one: b"Sunday lunch" in one)
    assert run_page("sort_mail", *taught, inbox, folder).out.startswith("family\t")
    filed = (folder / "family.mbox").read_bytes()

    inbox.write_bytes(whole.replace(b"\nFrom: ", b"\nStatus: RO\nX-Mozilla-Status: 0001\nFrom: "))
    (folder / "family.mbox").rename(folder / "moved.mbox")
    more = run_page("sort_mail", inbox, folder)

    assert len(more.out.splitlines()) == len(bodies(inbox)) - 1
    assert "Sunday lunch" not in more.out
    assert (folder / "moved.mbox").read_bytes() == filed
    contents = {path: path.read_bytes() for path in folder.iterdir()}
    assert run_page("sort_mail", inbox, folder).out == ""
    assert {path: path.read_bytes() for path in folder.iterdir()} == contents


def test_a_sender_is_forgotten_as_if_never_taught(taught: list[str], tmp_path: Path) -> None:
    assert run_page("sort_mail", *taught).code == 0
    ran = run_page("sort_mail", "--forget", "Ana@Firm.example")
    assert (ran.code, ran.out) == (0, "4 forgotten\n")
    with Memory.open("mail") as memory:
        forgotten = memory.root
        assert memory.verify(deep=True).ok

    keep(tmp_path / "work", lambda one: b"ana@firm.example" not in one)
    Memory.create("never", seed=SEED).close()
    assert run_page("sort_mail", "--store", "never", *taught).code == 0
    with Memory.open("never") as memory:
        assert memory.root == forgotten
    assert run_page("sort_mail", "--forget", "ana@firm.example").out == "0 forgotten\n"


def test_mail_that_has_left_its_mailbox_is_forgotten_when_that_is_taught_again(
    taught: list[str], tmp_path: Path
) -> None:
    assert run_page("sort_mail", *taught).code == 0
    keep(tmp_path / "work", lambda one: b"Interview on Monday" not in one)

    assert run_page("sort_mail", "--teach", f"work={tmp_path / 'work'}").code == 0

    with Memory.open("mail") as memory:
        assert memory.outputs() == {"bills": 8, "family": 8, "work": 7}
        assert memory.find(match="Interview on Monday") == []


def raw(headers: bytes, body: bytes) -> email.message.Message:
    return email.message_from_bytes(headers + b"\n\n" + body)


def test_broken_mail_is_read_as_far_as_it_can_be() -> None:
    question = load("sort_mail").question
    html = b"<style>p {}</style><p>Two &amp; <b>three</b></p>"
    parts = (
        b"--b\nContent-Type: application/pdf\n\n%PDF\n--b\nContent-Type: text/html\n\n<p>rich</p>\n"
        b"--b\nContent-Type: text/plain; charset=no-such\n\nplain \xe9\n"
    )

    assert question(raw(b"Subject: =?no-such?q?caf=E9?=", b"")) == ": caf\u00e9\n"
    assert question(raw(b"Subject: =?utf-8?b?!?=\nFrom: A <a@b>", b"x")).startswith("A <a@b>: ")
    assert question(raw(b"Subject: caf\xe9", b"na\xefve\0")).endswith("\nna\u00efve")
    assert question(raw(b"Content-Type: text/html", html)) == ": \nTwo & three"
    assert question(raw(b"Content-Type: multipart/mixed; boundary=b", parts)) == ": \nplain \u00e9"


LINES = st.lists(
    st.sampled_from(
        [
            b"From: =?utf-8?q?=ZZ?= <a@b>",
            b"Subject: =?utf-7?q?+2AA-?=",
            b"Subject: =?idna?b?w6k=?=",
            b"Content-Type: text/plain; charset*=x''%ff",
            b"Content-Type: text/html; charset=utf-7",
            b"Content-Type: multipart/mixed; boundary=b",
            b"Content-Type: message/rfc822",
            b"Content-Transfer-Encoding: base64",
            b"Content-Transfer-Encoding: x-uuencode",
            b"--b",
            b"--b--",
            b"",
        ]
    )
    | st.binary(max_size=40),
    max_size=12,
)


@given(LINES)
def test_no_mail_is_too_broken_to_be_asked_about(lines: list[bytes]) -> None:
    sort_mail, message = load("sort_mail"), email.message_from_bytes(b"\n".join(lines))

    text = sort_mail.question(message)

    assert "\0" not in text
    assert text.strip()
    assert len(text.encode()) <= sort_mail.READ
    sort_mail.identity(b"\n".join(lines), message)


def test_what_cannot_be_done_is_one_sentence(taught: list[str], tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear all,\n")

    refused_page(run_page("sort_mail", "--store", "none", tmp_path / "work"), "sort_mail", "there is no store")
    refused_page(run_page("sort_mail", tmp_path / "work"), "sort_mail", "no examples")
    refused_page(
        run_page("sort_mail", *taught, tmp_path / "nowhere"), "sort_mail", "there is no mailbox", "nowhere"
    )
    refused_page(
        run_page("sort_mail", "--teach", f"work={tmp_path / 'letter'}"), "sort_mail", "letter", "no message"
    )
    refused_page(run_page("sort_mail", "--teach", "work"), "sort_mail", "--teach")
    refused_page(run_page("sort_mail", *taught, tmp_path / "work", tmp_path), "sort_mail", "another folder")
    refused_page(run_page("sort_mail", tmp_path), "sort_mail", "directory")
    assert bodies(tmp_path / "work")
