"""Fashion-MNIST's files, of `source` and `content`: looked for in order, checked, fetched."""

from __future__ import annotations

import gc
import gzip
import hashlib
import inspect
import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest

from d2l_lrsched.data import source as files
from data_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, error_of, store

# pooch leaves the connections of failed downloads for the garbage collector to close.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def nothing_of_the_users(tmp_path, monkeypatch):
    """Point every folder and setting that the look-up reads at empty places."""
    for variable in ("HOME", "XDG_CACHE_HOME", "MXNET_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    (tmp_path / "home").mkdir()
    for variable in (files.DATA_VARIABLE, files.URL_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setattr(files, "DEBIAN_FOLDER", tmp_path / "debian")


@pytest.mark.parametrize("function", [files.read_all, files.locate])
def test_missing_files_are_named(tmp_path, tiny, function):
    folder = store(tmp_path / "data", tiny)
    (folder / f"{TRAIN_LABELS}.gz").unlink()
    assert error_of(function, folder).startswith(
        f"{folder}: lacks {TRAIN_LABELS}.gz; "
        f"`d2l-lrsched data --data-dir {shlex.quote(str(folder))}` fetches"
    )
    (folder / f"{TEST_IMAGES}.gz").unlink()
    assert f"lacks {TRAIN_LABELS}.gz, {TEST_IMAGES}.gz;" in error_of(function, folder)


# Looking


def test_mxnets_cache_is_where_mxnet_has_it(monkeypatch):
    import mxnet

    for home in ("/somewhere/else", "", None):
        if home is None:
            monkeypatch.delenv("MXNET_HOME")
        else:
            monkeypatch.setenv("MXNET_HOME", home)
        expected = Path(mxnet.base.data_dir(), "datasets", "fashion-mnist")
        assert files.candidates()[0] == expected


def test_folders_are_tried_in_the_stated_order(tmp_path, tiny, monkeypatch):
    own = tmp_path / "xdg_cache_home" / "d2l_lrsched" / "fashion-mnist"
    if sys.platform != "linux":  # platformdirs reads XDG_CACHE_HOME on Linux only
        own = files.own_cache()
    assert own == files.own_cache()
    monkeypatch.setenv(files.DATA_VARIABLE, "")  # as good as unset
    assert files.find_folder() is None
    mxnet_cache = tmp_path / "mxnet_home" / "datasets" / "fashion-mnist"
    for folder in (own, tmp_path / "debian", mxnet_cache):  # each comes before the last
        store(folder, tiny)
        assert files.find_folder() == files.locate(download=False) == folder
    from_environment = store(tmp_path / "from_environment", tiny)
    monkeypatch.setenv(files.DATA_VARIABLE, str(from_environment))
    assert files.find_folder() == files.locate() == from_environment
    argument = store(tmp_path / "argument", tiny)
    assert files.find_folder(argument) == files.locate(str(argument)) == argument


def test_a_folder_with_one_file_is_not_passed_over(tmp_path, tiny):
    debian = store(tmp_path / "debian", {TEST_LABELS: tiny[TEST_LABELS]})
    store(files.own_cache(), tiny)
    assert files.find_folder() == debian
    assert error_of(files.locate).startswith(f"{debian}: lacks {TRAIN_IMAGES}.gz, {TRAIN_LABELS}")


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_named_folder_without_data_is_an_error_and_no_reason_to_look_on_or_to_download(
    tmp_path, tiny, monkeypatch, by_variable
):
    store(tmp_path / "debian", tiny)
    monkeypatch.setattr(files, "fetch", lambda *_: pytest.fail("downloads"))
    (tmp_path / "empty").mkdir()
    for folder, reason in (
        (tmp_path / "empty", "holds none of the four Fashion-MNIST files"),
        (tmp_path / "absent", "no such folder"),
    ):
        if by_variable:
            monkeypatch.setenv(files.DATA_VARIABLE, str(folder))
        message = error_of(files.locate, None if by_variable else folder)
        assert message.startswith(
            f"{folder}: {reason}; `d2l-lrsched data --data-dir {shlex.quote(str(folder))}`"
        )


def test_files_needs_no_mxnet():
    code = "import sys, d2l_lrsched.data.source; sys.exit('mxnet' in sys.modules)"
    root = Path(files.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


# Fetching


class Server(ThreadingHTTPServer):
    """A file server on the loopback, the answers of which a test may spoil."""

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/mirror"
        self.bodies = {f"/mirror/{n}.gz": gzip.compress(c) for n, c in contents.items()}
        self.asked = []
        self.spoil = lambda handler, count: False
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.server.spoil(self, len(self.server.asked)):
            return
        if self.path not in self.server.bodies:
            self.send_error(404)
            return
        self.send(self.server.bodies[self.path])

    def send(self, body, announced=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tiny):
    """Yield a running server of the tiny files."""
    with Server(tiny) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def waits(monkeypatch):
    """Yield the list of pooch's waits between attempts, in seconds, none of them waited for."""
    waited = []
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=waited.append))
    yield waited
    gc.collect()  # here, not in another module's test, where a ResourceWarning is an error


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


ALL_FOUR = sorted(f"{name}.gz" for name in files.SHA256)


def test_a_download_fills_our_cache_once_and_quietly(server, tiny, capfd):
    folder = files.locate(base_url=server.url)
    assert folder == files.own_cache()
    assert left_in(folder) == ALL_FOUR
    assert files.read_all(folder)[TEST_IMAGES].tobytes() == tiny[TEST_IMAGES][16:]
    assert files.locate(base_url=server.url) == folder
    assert len(server.asked) == 4
    assert capfd.readouterr() == ("", "")  # neither pooch's log nor, off a terminal, a bar


@pytest.mark.parametrize("terminal", [True, False, None])
def test_a_terminal_gets_a_progress_bar(server, tmp_path, monkeypatch, capsys, terminal):
    """Elsewhere, or where there is no standard error, the files are all there is."""
    error = sys.stderr
    monkeypatch.setattr(error, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", None if terminal is None else error)
    assert len(files.fetch(tmp_path / "data", server.url)) == 4
    assert ("100%" in capsys.readouterr().err) == bool(terminal)


def test_fetch_fills_a_named_folder_with_what_it_lacks(server, tmp_path, tiny, monkeypatch):
    monkeypatch.setenv(files.URL_VARIABLE, server.url + "/")
    folder = store(tmp_path / "data", tiny)
    (folder / f"{TRAIN_LABELS}.gz").rename(folder / "aside")
    (folder / f"{TEST_LABELS}.gz").unlink()
    assert files.fetch(folder) == [TRAIN_LABELS, TEST_LABELS]
    assert server.asked == [f"/mirror/{TRAIN_LABELS}.gz", f"/mirror/{TEST_LABELS}.gz"]
    assert left_in(folder) == sorted([*ALL_FOUR, "aside"])
    assert (folder / f"{TRAIN_LABELS}.gz").stat().st_mode & 0o777 == 0o644
    assert files.fetch(folder) == []
    assert len(server.asked) == 2


def test_our_cache_is_completed(server, tiny):
    # As another process leaves it for an instant while it moves its files in.
    store(files.own_cache(), {TRAIN_IMAGES: tiny[TRAIN_IMAGES]})
    assert left_in(files.locate(base_url=server.url)) == ALL_FOUR


@pytest.mark.parametrize("download", [False, True])
def test_nowhere_and_no_download_wanted_or_possible(server, waits, download):
    url = f"{server.url}/elsewhere"
    message = error_of(files.locate, base_url=url, download=download)
    assert ", ".join(map(str, files.candidates())) in message
    assert "apt install dataset-fashion-mnist" in message
    assert "--data-dir" in message
    assert "d2l-lrsched data" in message
    assert (f"the download of {url}/{TRAIN_IMAGES}.gz failed (404 " in message) == download
    assert files.own_cache().exists() == download
    assert waits == ([1, 2] if download else [])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "nonsense", "nonsense://host", "http://", "http://a..b/"]
)
def test_a_url_where_no_server_is(waits, tmp_path, url):
    assert "failed (" in error_of(files.fetch, tmp_path / "data", url)
    assert left_in(tmp_path / "data") == []


def hangs(handler, body):
    handler.server.over.wait()


def hangs_within_the_file(handler, body):
    handler.send(body[: len(body) // 2], announced=len(body))
    handler.server.over.wait()


def breaks_off(handler, body):
    handler.send(body[:-9], announced=len(body))


def sends_too_little(handler, body):
    handler.send(body[:-9])


def sends_something_else(handler, body):
    handler.send(gzip.compress(b"something else"))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (hangs, ""),
        (hangs_within_the_file, ""),
        (breaks_off, ""),
        (sends_too_little, "truncated gzip file"),
        (sends_something_else, "not that of the release of"),
    ],
)
def test_a_download_that_fails(server, waits, tmp_path, monkeypatch, spoil, reason):
    """Of the last file: the three before it must not stay either."""

    def of_the_last(handler, count):
        if TEST_LABELS in handler.path:
            spoil(handler, server.bodies[handler.path])
        return TEST_LABELS in handler.path

    monkeypatch.setattr(files, "TIMEOUT", 0.1)
    server.spoil = of_the_last
    message = error_of(files.fetch, tmp_path / "data", server.url)
    assert f"the download of {server.url}/{TEST_LABELS}.gz failed ({reason}" in message
    assert files.URL_VARIABLE in message
    assert len(server.asked) == 3 + 1 + files.RETRIES
    assert left_in(tmp_path / "data") == []


def test_two_failures_are_forgiven(server, waits, tmp_path):
    def fail_twice(handler, count):
        if count == 1:
            handler.send_error(503)
        elif count == 2:
            handler.send(b"<html>Log in to this network</html>")
        return count <= 2

    server.spoil = fail_twice
    assert files.fetch(tmp_path / "data", server.url) == list(files.SHA256)
    assert left_in(tmp_path / "data") == ALL_FOUR
    assert len(server.asked) == 4 + 2
    assert waits == [1, 2]


def test_ctrl_c_leaves_nothing_behind(server, tmp_path):
    seen = []

    def interrupt(handler, count):
        if count < 3:
            return False
        body = server.bodies[handler.path]
        handler.send(body[: len(body) // 2], announced=len(body))
        seen.extend(left_in(tmp_path / "data"))
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        return server.over.wait()

    server.spoil = interrupt
    with pytest.raises(KeyboardInterrupt):
        files.fetch(tmp_path / "data", server.url)
    assert any(path.endswith(f"{TRAIN_LABELS}.gz") for path in seen)  # it was at work
    assert left_in(tmp_path / "data") == []


def test_two_that_fetch_at_once_do_each_other_no_harm(server, tmp_path):
    both = threading.Barrier(2, timeout=5)  # no answer before both have asked for the file

    def wait_for_the_other(handler, count):
        both.wait()
        return False

    server.spoil = wait_for_the_other
    code = "import sys; from d2l_lrsched.data import source as files; "
    code += "files.SHA256.update(eval(sys.argv[1])); "
    code += "print(len(files.fetch(sys.argv[2], sys.argv[3])))"
    folder = tmp_path / "data"
    command = [sys.executable, "-c", code, repr(files.SHA256), str(folder), server.url]
    root = Path(files.__file__).parents[2]
    processes = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert outputs == [b"4\n", b"4\n"]
    assert left_in(folder) == ALL_FOUR
    files.read_all(folder)


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    assert error_of(files.fetch, folder, server.url).startswith(
        f"{folder}: cannot be written to (Not a directory); choose another with --data-dir"
    )


def test_a_full_disk(server, waits, tmp_path, monkeypatch):
    def full(self, url, output_file, client):
        raise OSError(28, os.strerror(28), output_file)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    message = error_of(files.fetch, tmp_path / "data", server.url)
    assert f"{TRAIN_IMAGES}.gz failed (No space left on device)" in message
    assert left_in(tmp_path / "data") == []


def test_a_complete_folder_need_not_be_writable(tmp_path, tiny):
    folder = store(tmp_path / "full", tiny)
    before = folder.stat().st_mtime_ns
    assert files.fetch(folder, "http://127.0.0.1:9/") == []
    assert folder.stat().st_mtime_ns == before, "nothing was made in it, not even for a moment"


def test_mxnets_cache_with_the_earlier_release_is_passed_over_with_a_warning(
    tmp_path, tiny, monkeypatch
):
    cache = store(tmp_path / "mxnet_home" / "datasets" / "fashion-mnist", tiny)
    debian = store(tmp_path / "debian", tiny)
    assert files.find_folder() == cache
    old = hashlib.sha1((cache / "train-images-idx3-ubyte.gz").read_bytes()).hexdigest()
    monkeypatch.setitem(files.FIRST_SHA1, "train-images-idx3-ubyte", old)
    with pytest.warns(UserWarning, match="earlier release of Fashion-MNIST"):
        assert files.find_folder() == debian
    # A named folder is not passed over.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert files.find_folder(cache) == cache
        monkeypatch.setenv(files.DATA_VARIABLE, str(cache))
        assert files.find_folder() == cache


def test_gluon_asks_for_the_earlier_release():
    from mxnet.gluon.data.vision import FashionMNIST

    source = inspect.getsource(FashionMNIST.__init__)
    for name, sha1 in files.FIRST_SHA1.items():
        assert re.search(rf"'{name}.gz',\s+'{sha1}'", source)


def test_the_first_release_is_looked_for_where_it_is_named_and_in_mxnets_cache(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "read_first", lambda folder: folder)
    cache = tmp_path / "mxnet_home" / "datasets" / "fashion-mnist"
    assert files.load(release="2017-08-26") == cache
    monkeypatch.setenv(files.DATA_VARIABLE, str(tmp_path / "variable"))
    assert files.load(release="2017-08-26") == tmp_path / "variable"
    assert files.load(tmp_path / "named", "2017-08-26") == tmp_path / "named"


def test_todays_release_is_loaded_from_where_it_is_found(tmp_path, tiny):
    assert files.load(store(tmp_path / "data", tiny))[TEST_IMAGES].shape == (5, 28, 28)


def test_the_sign_of_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.candidates("~/x") == [tmp_path / "x"]
    monkeypatch.setenv(files.DATA_VARIABLE, "~/y")
    assert files.candidates() == [tmp_path / "y"]


@pytest.fixture
def no_home(monkeypatch):
    """A user whom nothing gives a home, as in some containers."""

    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "MXNET_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_user_without_a_home_has_debians_data(no_home, tmp_path, tiny):
    debian = store(tmp_path / "debian", tiny)
    assert files.candidates() == [debian]
    assert files.locate() == debian
    assert files.locate(debian) == debian


def test_a_user_without_a_home_or_data(no_home):
    message = error_of(files.locate)
    assert re.fullmatch(r"there is no home directory .*; set \$HOME, or .*--data-dir", message)


def test_a_cache_of_mxnet_that_nobody_can_have_is_not_looked_for(tmp_path, tiny, monkeypatch):
    debian = store(tmp_path / "debian", tiny)
    monkeypatch.setenv("MXNET_HOME", "~nosuchuser/mxnet")
    assert files.candidates() == [debian, files.own_cache()]
    assert files.locate() == debian


def test_what_is_no_path_is_named(monkeypatch):
    nobody = "'~nosuchuser/x': no user is called 'nosuchuser'"
    for function in (files.candidates, files.locate, files.fetch, files.read_all):
        assert error_of(function, "~nosuchuser/x").startswith(nobody)
    assert error_of(files.locate, "").startswith("'': the name of a file or folder must not")
    monkeypatch.setenv(files.DATA_VARIABLE, "~nosuchuser/x")
    assert error_of(files.locate).startswith(f"$D2L_LRSCHED_DATA={nobody}")


def test_a_server_that_does_not_answer_is_waited_for_in_seconds_not_minutes():
    assert files.TIMEOUT * (1 + files.RETRIES) <= 60
    assert files.DEFAULT_URL.startswith(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    )
