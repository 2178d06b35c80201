"""The store for assistants, asked by the SDK's own client, which starts the server as assistants do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from command import EXAMPLES, IDS, content, refused, run, unchanged
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import CallToolResult
from repository import REPOSITORY
from watch import edge_icl, mcp_calls

from edge_icl import ConfirmationError, EdgeIclError, Memory
from edge_icl.answer.certainty import in_words
from edge_icl.mcp.plans import LIFETIME, MOST, Forgetting, Plans

pytest_plugins = ["cli_fixtures"]

PAPER = IDS["Printer paper"]


def session(
    work: Callable[[Client], Coroutine[Any, Any, None]],
    *,
    noise: Path | None = None,
    options: tuple[str, ...] = (),
) -> None:
    """Run `work` with a client of a server in a process of its own, whose stderr goes to `noise`."""
    command, *args = edge_icl(*options, "mcp")
    server = StdioServerParameters(command=command, args=args, env=dict(os.environ))

    async def main() -> None:
        async with Client(stdio_client(server, errlog=errlog)) as client:
            await work(client)

    with (noise or Path(os.devnull)).open("w") as errlog:
        anyio.run(main)


async def call(client: Client, tool: str, **arguments: object) -> tuple[str, dict[str, Any]]:
    """Call a tool and return its text and its fields."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return text(result), result.structured_content


async def lines(client: Client, tool: str, **arguments: object) -> tuple[list[str], dict[str, Any]]:
    """Call a tool and return the lines of its text, and its fields."""
    told, fields = await call(client, tool, **arguments)
    return told.split("\n"), fields


async def fail(client: Client, tool: str, **arguments: object) -> str:
    """Call a tool that refuses, and return the sentence."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert "\n" not in text(result)
    return text(result)


def text(result: CallToolResult) -> str:
    """Return what a tool says: of `ask` the answer, and below it what is to be known of it."""
    return "\n".join(block.text for block in result.content)


def test_an_assistant_adds_asks_searches_and_forgets(models_home: Path, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        added, fields = await call(client, "add", input="Uber to the airport", output="travel", tags=["2026"])
        (key,) = fields["ids"]
        assert added == f"added {key}"
        await call(client, "add", input="Sandwich at noon", output="food")
        assert (await call(client, "add", input="Sandwich at noon", output="food"))[1]["duplicates"] == 1

        (answer, *told), fields = await lines(client, "ask", question="Uber to an airport")
        with Memory.open() as here:
            own = here.ask("Uber to an airport")
        assert answer == fields["answer"] == own.text
        assert own.as_json().keys() <= fields.keys()
        assert own.probability == pytest.approx(fields["probability"], abs=1e-6)
        certainty = f"{fields['certainty']} (probability {own.probability:.2f} among 2 outputs of the store)"
        assert (told[0], certainty.startswith(in_words(own.probability))) == (certainty, True)
        assert key in "".join(told)
        (answer, *told), _ = await lines(client, "ask", question="Uber to  the airport")
        assert (answer, told[0]) == ("travel", "taught: the question is the input of 1 example")
        (_, *told), fields = await lines(client, "ask", question="Prove that e is irrational")
        assert (
            "the question is unlike everything that was taught: the answer may be a mere guess" in told
        ) == (fields["unlike"])

        found, fields = await call(client, "search", text="a ride to the airport", limit=1)
        assert [one["id"] for one in fields["examples"]] == [key]
        assert found.startswith(f"{key}\t0.")

        _, before = await call(client, "status")
        assert (before["examples"], before["path"]) == (2, str(models_home / "stores" / "default"))
        assert before["labels_setting"] == "auto"

        shown, plan = await call(client, "forget_dry_run", tag="2026")
        assert plan["examples"] == [
            {"id": key, "input": "Uber to the airport", "output": "travel", "tags": ["2026"]}
        ]
        assert plan["token"] in shown
        assert "Uber to the airport" in shown
        assert (await call(client, "status"))[1] == before

        done, receipt = await call(client, "forget", token=plan["token"])
        assert receipt["ids"] == [key]
        assert receipt["root_before"] == before["root"]
        assert "forgot 1 example" in done
        assert (await call(client, "status"))[1]["examples"] == 1

    session(work, noise=tmp_path / "noise")

    assert (tmp_path / "noise").read_text() == ""
    with Memory.open(create=False) as memory:
        assert [one.input for one in memory.examples()] == ["Sandwich at noon"]
        assert memory.verify(deep=True).ok


def test_an_assistant_hears_of_a_label_that_looks_like_another_and_forgets_by_labels(home: Path) -> None:
    assert home

    async def work(client: Client) -> None:
        told, fields = await call(client, "add", input="Ferry", output="travle ")
        assert "white space around the output was left out" in told
        assert told.endswith('the label is new, and like "travel": ask the user which is meant')
        assert fields["look_alikes"] == [{"label": "travle", "like": "travel", "reads_the_same": False}]
        told, fields = await call(client, "add", input="รถไฟไปเชียงใหม่", output="travel")
        unread = "the encoder does not know the characters of the input, and cannot tell it from others"
        assert told == f"added {fields['ids'][0]}; {unread}"
        assert fields["unread"] == 1
        (told, *others), fields = await lines(client, "add", input="Ferry", output="food")
        assert told.endswith("this input was taught with another output too, ask the user which is right:")
        assert [one["output"] for one in fields["contradictions"]] == ["travle"]
        assert others[0].endswith('"travle"\t"Ferry"')
        told, fields = await call(client, "add", input="Ship", output="travel")
        assert (told, fields.keys() & {"look_alikes", "contradictions"}) == (f"added {fields['ids'][0]}", set())
        _, plan = await call(client, "forget_dry_run", output="travel", match="airport")
        assert {one["input"] for one in plan["examples"]} == {"Uber to the airport", "Uber to airport"}
        wrong = await fail(client, "forget_dry_run", output="trave")
        assert wrong.startswith('no example has the output "trave"; did you mean "travel"')

    session(work)


@pytest.mark.usefixtures("bare_home")
def test_an_assistant_looks_through_the_store_and_corrects_it() -> None:
    async def work(client: Client) -> None:
        (told, *listed), page = await lines(client, "list", output="travel", limit=2)
        assert told == "3 examples fit; 2 shown"
        assert listed[-1] == f"for the next page, call list with the cursor {page['next_cursor']}"
        told, rest = await call(client, "list", output="travel", limit=2, cursor=page["next_cursor"])
        assert (rest["fitting"], rest["next_cursor"]) == (3, None)
        found = [one["input"] for one in (*page["examples"], *rest["examples"])]
        assert sorted(found) == ["Train to Berlin", "Uber to airport", "Uber to the airport"]

        told, fields = await call(client, "labels")
        assert [(one["label"], one["count"]) for one in fields["labels"]] == [
            ("travel", 3),
            ("food", 1),
            ("office", 1),
        ]
        assert '3\t"travel"' in told

        told, fields = await call(client, "check")
        assert fields["counts"]["single"] == 2
        assert '2 labels with one example; more of each would help:\n"food"\n"office"' in told
        assert "what it cannot read is not known" in told  # there is no encoder on this machine

        told, plan = await call(client, "fix_dry_run", id=PAPER[:8], output=" paper\n")
        assert (plan["example"]["id"], plan["output"], plan["new"]) == (PAPER, "paper", True)
        assert f'{PAPER}\t"office"\t"Printer paper"\nnew output\t"paper"\n' in told
        assert (await call(client, "labels"))[1] != fields
        told, done = await call(client, "fix", token=plan["token"])
        assert (done["changed"], done["ids"]) == (True, [PAPER])
        _, page = await call(client, "list", match="printer")
        assert [(one["id"], one["output"]) for one in page["examples"]] == [(done["id"], "paper")]
        assert "has this output already" in await fail(client, "fix_dry_run", id=done["id"], output="paper")

    session(work)

    with Memory.open(create=False) as memory:
        assert memory.verify(deep=True).ok


def test_only_the_token_of_its_dry_run_corrects_and_only_once(bare_home: Path) -> None:
    async def work(client: Client) -> None:
        _, forgetting = await call(client, "forget_dry_run", ids=[PAPER])
        _, first = await call(client, "fix_dry_run", id=PAPER, output="paper")
        _, second = await call(client, "fix_dry_run", id=IDS["Sandwich at noon"], output="meals")
        with unchanged(bare_home):
            wrong = await fail(client, "fix", token=forgetting["token"])
            assert wrong.startswith("no fix waits for this token")
            assert wrong.endswith("call fix_dry_run again")
            assert "no forget waits" in await fail(client, "forget", token=first["token"])
        _, first = await call(client, "fix_dry_run", id=PAPER, output="paper")
        await call(client, "fix", token=second["token"])  # several are shown, and then corrected
        await call(client, "fix", token=first["token"])
        _, gone = await call(client, "fix_dry_run", id=IDS["Train to Berlin"], output="trains")
        with Memory.open() as another:
            another.forget(IDS["Train to Berlin"])
        with unchanged(bare_home):
            assert await fail(client, "fix", token=first["token"]) == wrong
            assert "no example has the id" in await fail(client, "fix", token=gone["token"])

    session(work)


def test_only_the_token_of_a_dry_run_forgets_and_only_once(bare_home: Path) -> None:
    async def work(client: Client) -> None:
        with unchanged(bare_home):
            wrong = await fail(client, "forget", token="x" * 22)
            assert "no forget waits for this token" in wrong
            assert "forget_dry_run" in wrong
            await fail(client, "forget", ids=[PAPER])
        _, plan = await call(client, "forget_dry_run", ids=[PAPER[:8]])
        await call(client, "forget", token=plan["token"])
        with unchanged(bare_home):
            assert await fail(client, "forget", token=plan["token"]) == wrong

    session(work)


def test_a_token_is_stale_once_the_store_has_changed(bare_home: Path) -> None:
    async def work(client: Client) -> None:
        _, plan = await call(client, "forget_dry_run", match="airport")
        assert len(plan["examples"]) == 2
        with Memory.open() as another:
            another.forget(PAPER)
        with unchanged(bare_home):
            stale = await fail(client, "forget", token=plan["token"])
        assert stale.startswith("the store has changed since it was looked at: nothing was forgotten; ")
        _, plan = await call(client, "forget_dry_run", match="airport")
        assert (await call(client, "forget", token=plan["token"]))[1]["forgotten"] == 2

    session(work)


def test_a_token_ends_with_the_server(bare_home: Path) -> None:
    tokens = []

    async def first(client: Client) -> None:
        tokens.append((await call(client, "forget_dry_run", ids=[PAPER]))[1]["token"])

    async def second(client: Client) -> None:
        assert "no forget waits" in await fail(client, "forget", token=tokens[0])

    session(first)
    with unchanged(bare_home):
        assert tokens[0].encode() not in b"".join(content(bare_home).values())
        session(second)


@pytest.mark.usefixtures("bare_home")
def test_what_goes_wrong_is_one_sentence_and_the_server_goes_on(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert "models fetch" in await fail(client, "search", text="a ride")
        assert "the output is empty" in await fail(client, "add", input="Ferry", output=" ")
        assert "cannot take its argument question: field required" in await fail(client, "ask")
        assert "cannot take its argument limit" in await fail(client, "search", text="a", limit="ten")
        assert "cannot take its argument all" in await fail(client, "forget_dry_run", all=True)
        assert "what to forget" in await fail(client, "forget_dry_run")
        assert "what to forget" in await fail(client, "forget_dry_run", ids=[PAPER], tag="2026")
        assert "no example fits" in await fail(client, "forget_dry_run", tag="1999")
        assert "no example has the id" in await fail(client, "forget_dry_run", ids=["ffff"])
        assert "there is no tool drop" in await fail(client, "drop")
        assert (await call(client, "status"))[1]["examples"] == len(EXAMPLES)

    session(work, noise=tmp_path / "noise")

    assert (tmp_path / "noise").read_text() == ""


def test_there_may_be_no_store_yet(own_home: Path) -> None:
    async def work(client: Client) -> None:
        assert "there is no store at" in await fail(client, "status")
        assert "there is no store at" in await fail(client, "forget_dry_run", ids=[PAPER])

    session(work, options=("--store", "none"))

    assert not (own_home / "stores").exists()


@pytest.mark.usefixtures("bare_home")
def test_every_tool_says_what_it_takes_and_whether_it_destroys() -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert " ".join(tools) == (
            "add ask search list labels check status fix_dry_run fix forget_dry_run forget"
        )
        destructive = [name for name, tool in tools.items() if tool.annotations.destructive_hint]
        changing = [name for name, tool in tools.items() if not tool.annotations.read_only_hint]
        assert (destructive, changing) == (["fix", "forget"], ["add", "fix", "forget"])
        for tool in tools.values():
            assert tool.title == tool.annotations.title
            assert not tool.annotations.open_world_hint
            assert (
                "Use it where" in tool.description
                or "Only after" in tool.description
                or "Use it to" in (tool.description)
            )
            assert tool.output_schema["type"] == "object"
            named = set(re.findall(r"\b[a-z]+_dry_run\b", tool.description))
            assert named <= tools.keys()
        assert tools["add"].input_schema["required"] == ["input", "output"]
        assert tools["forget"].input_schema["properties"].keys() == {"token"}

    session(work)


@pytest.mark.usefixtures("bare_home")
def test_stdout_has_nothing_but_the_protocol() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(edge_icl("mcp"), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write("this is no JSON\n" + mcp_calls(("status", {})))
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline()) for _ in range(3)]
        server.stdin.close()

        assert all(answer["jsonrpc"] == "2.0" for answer in answers)
        assert {answer["id"] for answer in answers} == {None, 0, 1}
        assert (server.stdout.read(), server.stderr.read(), server.wait(60)) == ("", "", 0)


@contextmanager
def serving() -> Iterator[subprocess.Popen[str]]:
    """Start the server as a process and let it answer once."""
    pipe = subprocess.PIPE
    with subprocess.Popen(edge_icl("mcp"), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write(mcp_calls(("status", {})))
        server.stdin.flush()
        server.stdout.readline()
        yield server


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize(
    ("number", "words"), [(2, "interrupted"), (15, "terminated"), (1, "the terminal was closed")]
)
@pytest.mark.usefixtures("bare_home")
def test_a_signal_ends_it_at_once(number: int, words: str) -> None:
    with serving() as server:
        server.send_signal(number)

        assert server.wait(60) == 128 + number
        assert server.stderr.read() == f"edge-icl: error: {words}\n"


@pytest.mark.usefixtures("bare_home")
def test_it_ends_quietly_when_its_client_has_left() -> None:
    with serving() as server:
        server.stdout.close()
        server.stdin.write(mcp_calls(("status", {})))
        server.stdin.close()

        assert server.wait(60) in {0, 141}  # as it hears first of the one or of the other
        assert server.stderr.read() == ""


def test_without_the_sdk_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mcp" or "edge_icl.mcp." in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)

    refused(run("mcp"), "a package that is missing, mcp", 'pip install "edge-icl[mcp]"')


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a user's data lies elsewhere below the home")
def test_the_documented_session_runs_as_it_stands(
    models_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "mcp.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / ".local" / "share").mkdir(parents=True)
    models_home.rename(tmp_path / ".local" / "share" / "edge-icl")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    exec(compile(program, "docs/mcp.md", "exec"), {})

    assert masked(capsys.readouterr().out) == masked(shown)


def masked(shown: str) -> str:
    """Return a transcript without what is secret or random: ids and tokens, and what follows from the seed."""
    shown = re.sub(r"(?m)^[a-z ]+ \(probability 0\.\d\d ", "# ", shown)
    return re.sub(r"\b[0-9a-f]{32}\b|(?<=token )\S+|(?<='token': ')[^']+", "#", shown)


def test_a_token_expires() -> None:
    now = [0.0]
    plans = Plans("forget", clock=lambda: now[0])
    early, late = (plans.keep(Forgetting((PAPER,), "root")) for _ in range(2))
    now[0] = LIFETIME - 1

    assert plans.take(early) == Forgetting((PAPER,), "root")
    now[0] = LIFETIME
    with pytest.raises(ConfirmationError):
        plans.take(late)


@given(st.lists(st.integers(0, 3), max_size=40))
def test_whatever_is_planned_a_token_means_its_own_plan_once(order: list[int]) -> None:
    plans = Plans("forget")
    tokens = [plans.keep(Forgetting((str(number),), "root")) for number in range(4)]
    assert len(set(tokens)) == 4
    taken = set()
    for number in order:
        if number in taken:
            with pytest.raises(EdgeIclError):
                plans.take(tokens[number])
        else:
            assert plans.take(tokens[number]).ids == (str(number),)
            taken.add(number)


def test_plans_fill_no_memory() -> None:
    plans = Plans("forget")
    first, *_, last = (plans.keep(Forgetting((PAPER,), "root")) for _ in range(MOST + 1))

    plans.take(last)
    with pytest.raises(ConfirmationError):
        plans.take(first)
