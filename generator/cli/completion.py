"""`completion`: the script with which a shell completes commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from generator.cli.console import fail

PROGRAM = "reporting-rollups"
VARIABLE = "_REPORTING_ROLLUPS_COMPLETE"
"""The environment variable in which a shell asks the program what there is to complete."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""Print the script that lets a shell complete `reporting-rollups`.

    \b
    bash: eval "$(reporting-rollups completion bash)"      in ~/.bashrc
    zsh:  eval "$(reporting-rollups completion zsh)"       in ~/.zshrc
    fish: reporting-rollups completion fish | source       in ~/.config/fish/config.fish

    Only the installed program is completed, because a shell completes by a program's name;
    `python -m generator` is not.
    """
    found = get_completion_class(shell)
    if found is None:
        fail(f"there is no completion for {shell}")
    # Not source(), which starts bash to ask for its version and writes about that to stdout.
    script = found(context.find_root().command, {}, PROGRAM, VARIABLE)
    click.echo(script.source_template % script.source_vars())
