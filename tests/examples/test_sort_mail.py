"""Mail goes where mail like it went before, not a byte of it is lost, and forgetting a sender is exact."""

from __future__ import annotations

import contextlib
import email
import mailbox
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_page import load, refused_page, run_page

from edge_icl import Memory

SEED = bytes(range(32))

FOLDERS = {
    "work": [
        ("ana@firm.example", "The build is red", "Could you look at the failing test in the parser?"),
        ("tom@firm.example", "Review of your branch", "I left comments. The rest of the code looks good."),
        ("ana@firm.example", "Release on Thursday", "We freeze the code on Wednesday evening."),
        ("tom@firm.example", "Crash report", "The program ends when the file is empty. See the log."),
        ("ana@firm.example", "Minutes of the planning", "Attached are the tasks for the next sprint."),
        ("tom@firm.example", "Standup moved", "The standup is at ten, in the small meeting room."),
    ],
    "bills": [
        ("billing@power.example", "Your invoice 2231", "Your electricity invoice. Amount due: 54.20 EUR"),
        ("no-reply@bank.example", "Payment reminder", "Your phone bill of 19.99 EUR is overdue. Please pay."),
        ("billing@power.example", "Receipt", "Thank you. We charged 12.50 EUR to your card."),
        ("no-reply@bank.example", "Monthly statement", "Your bank statement for May is available."),
        ("billing@power.example", "Water bill", "The meter was read. You owe 31.10 EUR by the third."),
        ("no-reply@bank.example", "Premium due", "The premium of your household insurance is due."),
    ],
    "family": [
        ("mum@home.example", "Dinner on Saturday?", "We are cooking lasagne, come at seven. Hugs, Mum"),
        ("sara@home.example", "Photos of the baby", "Look how big she is! Love, Sara"),
        ("mum@home.example", "Grandpa's birthday", "We all meet in the garden on Sunday, bring cake."),
        ("sara@home.example", "The cabin at the lake", "It is ours in August, who sleeps where?"),
        ("mum@home.example", "School play", "Lena plays the fox, the play begins at five."),
        ("sara@home.example", "Thank you for the gift", "The scarf is lovely, I wear it every day. Kiss"),
    ],
}
INBOX = [
    ("ana@firm.example", "Failing test again", "The parser test fails on Windows. Can you look?"),
    ("billing@gas.example", "Invoice 9917", "Your gas invoice: amount due 61.00 EUR."),
    ("mum@home.example", "Sunday lunch", "Grandma makes dumplings, come at noon! Hugs"),
    ("x@y.example", "qzx", "vkw jjj 8817"),
]
ODD = (
    b"From nobody Thu Jan  1 00:00:00 1970\nFrom: =?nonsense?q?Ana_=FC?= <ANA@firm.example>\n"
    b"Subject: =?utf-8?b?broken base64\nStatus: RO\n\n>From here on \xff\xfe\x00 bytes\nno newline at the end"
)


def write(path: Path, messages: list[tuple[str, str, str]]) -> Path:
    """Write a mailbox."""
    box = mailbox.mbox(path)
    for sender, subject, text in messages:
        message = email.message.EmailMessage()
        message["From"], message["Subject"] = f"{sender.split('@')[0].title()} <{sender}>", subject
        message.set_content(text)
        box.add(message)
    box.close()
    return path


def bodies(*paths: Path) -> list[bytes]:
    """Return the messages of mailboxes, as they stand there, sorted."""
    found = []
    for path in paths:
        with contextlib.closing(mailbox.mbox(path, create=False)) as box:
            found += [box.get_bytes(key, from_=True).rstrip() for key in box.iterkeys()]
    return sorted(found)


@pytest.fixture
def taught(models_home: Path, tmp_path: Path) -> list[str]:
    """The words that teach all folders, to a store that is the same in every test."""
    Memory.create("mail", seed=SEED).close()
    pairs = [f"{label}={write(tmp_path / label, messages)}" for label, messages in FOLDERS.items()]
    return [word for pair in pairs for word in ("--teach", pair)]


def test_mail_is_filed_by_label_to_the_byte_once_and_the_inbox_stays(taught: list[str], tmp_path: Path) -> None:
    inbox, folder = write(tmp_path / "inbox", INBOX), tmp_path / "sorted"
    with inbox.open("ab") as file:
        file.write(ODD)
    inbox.chmod(0o400)
    before = inbox.read_bytes(), inbox.stat().st_mtime_ns

    dry = run_page("sort_mail", *taught, "--dry-run", inbox, folder)
    assert (dry.code, folder.exists()) == (0, False), dry.err
    ran = run_page("sort_mail", inbox, folder)

    assert (ran.code, ran.out) == (0, dry.out), ran.err
    filed = [line.split("\t")[0] for line in ran.out.splitlines()]
    assert filed[:4] == ["work", "bills", "family", "unsorted"], ran.out
    boxes = sorted(folder.iterdir())
    assert {path.name for path in boxes} >= {f"{name}.mbox" for name in (*FOLDERS, "unsorted")}
    assert bodies(*boxes) == bodies(inbox)
    assert (inbox.read_bytes(), inbox.stat().st_mtime_ns) == before
    assert {path.stat().st_mode & 0o77 for path in boxes} == {0}

    contents = {path: path.read_bytes() for path in boxes}
    again = run_page("sort_mail", inbox, folder)
    assert (again.code, again.out) == (0, "")
    assert {path: path.read_bytes() for path in boxes} == contents

    inbox.chmod(0o600)
    write(inbox, [("mum@home.example", "Cake", "Who brings the cake to the garden on Sunday? Hugs, Mum")])
    more = run_page("sort_mail", inbox, folder)
    assert more.out.startswith("family\t")
    assert (folder / "family.mbox").read_bytes().startswith(contents[folder / "family.mbox"])
    assert bodies(*boxes) == bodies(inbox)


def test_mail_that_a_program_has_marked_as_read_is_not_filed_again(taught: list[str], tmp_path: Path) -> None:
    inbox, folder = write(tmp_path / "inbox", INBOX[:1]), tmp_path / "sorted"
    assert run_page("sort_mail", *taught, inbox, folder).code == 0

    inbox.write_bytes(inbox.read_bytes().replace(b"\nFrom: ", b"\nStatus: RO\nX-Mozilla-Status: 0001\nFrom: "))

    assert run_page("sort_mail", inbox, folder).out == ""


def test_a_sender_is_forgotten_as_if_never_taught(taught: list[str], tmp_path: Path) -> None:
    assert run_page("sort_mail", *taught).code == 0
    ran = run_page("sort_mail", "--forget", "Ana@Firm.example")
    assert (ran.code, ran.out) == (0, "3 forgotten\n")
    with Memory.open("mail") as memory:
        forgotten = memory.root
        assert memory.verify(deep=True).ok

    for label, messages in FOLDERS.items():
        kept = [one for one in messages if one[0] != "ana@firm.example"]
        (tmp_path / label).unlink()
        write(tmp_path / label, kept)
    Memory.create("never", seed=SEED).close()
    assert run_page("sort_mail", "--store", "never", *taught).code == 0
    with Memory.open("never") as memory:
        assert memory.root == forgotten
    assert run_page("sort_mail", "--forget", "ana@firm.example").out == "0 forgotten\n"


def test_mail_that_has_left_its_mailbox_is_forgotten_when_that_is_taught_again(
    taught: list[str], tmp_path: Path
) -> None:
    assert run_page("sort_mail", *taught).code == 0
    (tmp_path / "work").unlink()
    write(tmp_path / "work", FOLDERS["work"][1:])

    assert run_page("sort_mail", "--teach", f"work={tmp_path / 'work'}").code == 0

    with Memory.open("mail") as memory:
        assert memory.outputs() == {"bills": 6, "family": 6, "work": 5}
        assert memory.find(match="build is red") == []


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
