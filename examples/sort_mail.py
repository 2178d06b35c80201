r"""Sort a mailbox (mbox) as you have sorted others: learn from some, file the messages of another by label.

    python examples/sort_mail.py --teach work=Mail/work --teach bills=Mail/bills Mail/inbox sorted/
    python examples/sort_mail.py --forget ana@example.org

The first line writes sorted/work.mbox and sorted/bills.mbox, and sorted/unsorted.mbox for what it is not sure
of; with --dry-run it only says what would go where. Mailboxes are only read, and messages are copied to the
byte. Run it again when mail has come: what one of the mailboxes in sorted/ has is not filed again. A label that
is taught again holds what its mailboxes hold then: mail that you have deleted or moved is forgotten. The second
line forgets all that one sender wrote, as if it had never been taught.

Labels are judged by the examples alone, without the language model: thirty messages a second, and a hundred
where they are short. The store (--store) holds the beginning of each message that was taught.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import html
import mailbox
import re
import sys
from collections import defaultdict
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

import edge_icl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

WRONG = 0.05  # most wrong ones among the messages that are filed, as a share
READ = 1200  # bytes of a message: the encoder reads no more


def messages(path: str | Path) -> Iterator[tuple[bytes, Message]]:
    """Yield the messages of a mailbox, as bytes and parsed; the bytes begin with the line "From "."""
    with contextlib.closing(mailbox.mbox(path, create=False)) as box:
        for key in box.iterkeys():
            raw = box.get_bytes(key, from_=True).rstrip(b"\r\n") + b"\n\n"
            yield raw, email.message_from_bytes(raw.partition(b"\n")[2])


def decoded(data: bytes, charset: str | None) -> str:
    """Return text, in whatever way it can be read: mail names charsets that do not exist, or wrong ones."""
    text = data.decode("latin-1")
    for name in ("utf-8", charset or "utf-8"):
        with contextlib.suppress(LookupError, ValueError):
            text = data.decode(name)
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def header(message: Message, name: str) -> str:
    """Return a header as a person reads it."""
    try:
        parts = decode_header(message[name] or "")
    except HeaderParseError:
        parts = [(str(message[name]), None)]
    texts = [part if isinstance(part, str) else decoded(part, charset) for part, charset in parts]
    return " ".join("".join(texts).replace("\0", " ").split())


def question(message: Message) -> str:
    """Return what the store is asked: sender, subject and the first plain part, or HTML without its tags."""
    texts = {}
    for part in message.walk():
        if part.get_content_maintype() == "text":
            text = decoded(part.get_payload(decode=True) or b"", part.get_content_charset())
            texts.setdefault(part.get_content_subtype(), text)
    tags = r"(?is)<(style|script)\b.*?</\1>|<[^>]*>"
    body = texts["plain"] if "plain" in texts else html.unescape(re.sub(tags, " ", texts.get("html", "")))
    text = f"{header(message, 'From')}: {header(message, 'Subject')}\n{' '.join(body.split())}"
    return text.encode()[:READ].decode(errors="ignore")


def identity(raw: bytes, message: Message) -> tuple[str | bytes, ...]:
    """Return what tells messages apart, without the headers in which mail programs note that one was read."""
    told = [str(message[name]) for name in ("Message-ID", "Date", "From", "Subject")]
    return (*told, re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1])


def teach(memory: edge_icl.Memory, label: str, paths: list[Path]) -> None:
    """Have the store hold what the mailboxes of a label hold: no more and no less."""
    examples = []
    for message in (message for path in paths for _, message in messages(path)):
        sender = parseaddr(header(message, "From"))[1].casefold() or "unknown"
        examples.append({"input": question(message), "output": label, "source": sender})
    if not examples:
        raise edge_icl.InputError(f"{paths[0]} holds no message", "give a mailbox in the format mbox")
    ids = set(memory.add_many(examples).ids)
    if gone := [held for held in memory.examples(output=label) if held.id not in ids]:
        memory.forget(gone)


def file(memory: edge_icl.Memory, inbox: Path, folder: Path, *, dry_run: bool) -> None:
    """Copy what is new in a mailbox to the mailboxes of a folder, by label."""
    filed = {identity(*one) for path in folder.glob("*.mbox") for one in messages(path)}
    new = [one for one in messages(inbox) if identity(*one) not in filed]
    boxes = defaultdict(list)
    questions = [question(message) for _, message in new]
    answers = memory.ask_many(questions, labels="on", abstain=WRONG, ask_model="never")
    for (raw, message), answer in zip(new, answers, strict=True):
        label = "unsorted" if answer.text is None or answer.unlike else answer.text
        print(f"{label}\t{answer.probability:.2f}\t{header(message, 'Subject')}")
        boxes[folder / (re.sub(r"[^\w-]+", "_", label) + ".mbox")].append(raw)
    for path, raws in {} if dry_run else boxes.items():
        folder.mkdir(exist_ok=True)
        part = path.with_suffix(".part")  # a mailbox is replaced as a whole: there is never half of one
        part.touch(0o600)
        part.write_bytes(b"".join([path.read_bytes() if path.exists() else b"", *raws]))
        part.replace(path)


def pair(text: str) -> tuple[str, Path]:
    label, path = text.split("=", 1)
    return label, Path(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inbox", nargs="?", type=Path, help="the mailbox to sort; it is only read")
    parser.add_argument(
        "folder", nargs="?", type=Path, default="sorted", help="where sorted mail goes (sorted)"
    )
    parser.add_argument(
        "--teach", action="append", default=[], metavar="LABEL=MAILBOX", type=pair, help="learn it"
    )
    parser.add_argument("--forget", metavar="ADDRESS", help="forget all mail of a sender")
    parser.add_argument("--dry-run", action="store_true", help="say what would go where, write no mailbox")
    parser.add_argument("--store", default="mail", help="its name, or its path (mail)")
    options = parser.parse_args()
    if options.inbox and options.folder.resolve() in {path.resolve().parent for _, path in options.teach}:
        parser.error(f"{options.folder} holds a mailbox that is to be taught; file into another folder")
    try:
        with edge_icl.Memory.open(options.store, create=bool(options.teach)) as memory:
            for label in dict(options.teach):
                teach(memory, label, [path for name, path in options.teach if name == label])
            if options.forget:
                found = memory.find(source=options.forget.casefold())
                print(f"{len(memory.forget(found).ids) if found else 0} forgotten")
            if options.inbox:
                file(memory, options.inbox, options.folder, dry_run=options.dry_run)
    except mailbox.NoSuchMailboxError as error:
        sys.exit(f"sort_mail: error: there is no mailbox {error}")
    except (edge_icl.EdgeIclError, OSError) as error:
        sys.exit(f"sort_mail: error: {error}")


if __name__ == "__main__":
    main()
