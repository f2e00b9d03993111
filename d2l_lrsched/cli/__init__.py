"""The command line: parse, call, print. A command's module is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from d2l_lrsched.cli.errors import Group

#: Command -> the module that holds it.
COMMANDS = {
    "data": "data",
    "reproduce": "run",
    "run": "run",
    "verify": "verify",
    "report": "report",
    "plot": "plot",
    "range-test": "range_test",
    "explore": "explore",
    "clipping": "clipping",
    "exercises": "exercises",
    "choice": "choice",
    "bench": "bench",
}


class Commands(Group):
    """The commands, each imported only when it is called or helped with."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return one of them, or None for an unknown name."""
        if name not in COMMANDS:
            return None
        return getattr(import_module(f"{__name__}.{COMMANDS[name]}"), name.replace("-", "_"))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="d2l_lrsched")
def main() -> None:
    """Reproduce d2l.ai's "Learning Rate Scheduling" (section 11.15) in MXNet/Gluon.

    Example: d2l-lrsched reproduce --epochs 1 --output /tmp/figures
    """
