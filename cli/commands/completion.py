"""`edge-icl completion`: the script with which a shell completes what is typed."""

from __future__ import annotations

import click

from edge_icl.cli.command import Command, examples
from edge_icl.cli.output import PROGRAM
from edge_icl.cli.program import COMPLETING
from edge_icl.cli.session import Session
from edge_icl.cli.shells import SHELLS


@click.command(
    cls=Command,
    epilog=examples(
        "echo 'eval \"$(edge-icl completion bash)\"' >> ~/.bashrc",
        "echo 'eval \"$(edge-icl completion zsh)\"' >> ~/.zshrc",
        "edge-icl completion fish > ~/.config/fish/completions/edge-icl.fish",
    ),
)
@click.argument("shell", type=click.Choice(tuple(SHELLS)), metavar="bash|zsh|fish")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script with which your shell completes commands, stores, ids, tags, sources and models.

    Run the line below that is for your shell, once. It works in every terminal that is opened from then on.
    """
    script = SHELLS[shell](ctx.find_root().command, {}, PROGRAM, COMPLETING).source()
    ctx.ensure_object(Session).output.line(script.rstrip("\n"))
