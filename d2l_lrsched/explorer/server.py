"""Serving the explorer's notebook with Voilà."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from tornado.ioloop import IOLoop
from traitlets import default
from voila.app import Voila

from d2l_lrsched.explorer import homes
from d2l_lrsched.explorer.stored import FOLDER_VARIABLE

HOST = "127.0.0.1"
NOTEBOOK = Path(__file__).parent / "explorer.ipynb"
#: Seconds without an open page after which its kernel ends; closing the page ends it at once.
IDLE = 300


class OwnKernel(KernelSpecManager):
    """Knows one kernel: this interpreter, whatever kernels of the same name the user has."""

    @default("kernel_dirs")
    def _no_kernel_dirs(self) -> list[str]:
        return []

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel, kept from warning of what only other users of this machine see."""
        spec = super().get_kernel_spec(kernel_name)
        spec.argv.append("--log-level=ERROR")
        return spec


def serve(records: Path, port: int, *, browser: bool, ready: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or SIGTERM; then no kernel is left.

    Parameters
    ----------
    records : Path
        Folder of the stored runs.
    port : int
        A free one.
    browser : bool
        Whether to open the page.
    ready : callable
        Called with the address as soon as it is served.
    """
    os.environ[FOLDER_VARIABLE] = str(records.resolve())
    homes.lend_whole()  # Jupyter asks for a home even where it has no use for it
    logging.getLogger("tornado").setLevel(logging.ERROR)
    # Without the user's own settings of Voilà, which might not fit.
    server: Any = Voila(config_file_paths=[])
    server.initialize(
        [
            str(NOTEBOOK),
            f"--Voila.ip={HOST}",
            f"--Voila.port={port}",
            "--Voila.port_retries=0",
            f"--Voila.open_browser={browser}",
            "--Voila.log_level=ERROR",
            f"--VoilaConfiguration.kernel_spec_manager_class={__name__}.{OwnKernel.__name__}",
            f"--MappingKernelManager.cull_idle_timeout={IDLE}",
            "--MappingKernelManager.cull_interval=60",
        ]
    )
    IOLoop.current().add_callback(ready, f"http://{HOST}:{port}/")
    server.start()
