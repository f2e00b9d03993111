"""The Dockerfile names what there is, and its image has nothing that git ignores."""

from __future__ import annotations

import json
import re

from made_up import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Instruction -> what it is given, each time; continued lines are one.
GIVEN: dict[str, list[str]] = {}
for name, given in re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE):
    GIVEN.setdefault(name, []).append(" ".join(given.split()))


def lines(name):
    """The lines of a file of patterns, without its comments."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_its_python_is_one_that_setup_cfg_allows():
    (image,) = GIVEN["FROM"]
    version = re.fullmatch(r"--platform=linux/amd64 python:(\d+)\.(\d+)-slim-\w+", image)
    supported = re.search(r"python_requires = >=3\.(\d+),<3\.(\d+)", "\n".join(lines("setup.cfg")))
    assert version[1] == "3"
    assert int(supported[1]) <= int(version[2]) < int(supported[2])


def test_make_has_its_targets_and_finds_what_apt_would_give():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (made,) = re.findall(r"\bmake (\S.*)", GIVEN["RUN"][-1])
    known = re.findall(r"^([$()\w./-]+):", makefile, re.MULTILINE)
    assert set(made.split()) <= {target.replace("$(VENV)", ".venv") for target in known}
    # As its user, who is not root, make installs no package.
    installed = set(re.search(r"--no-install-recommends ([^&]+)", GIVEN["RUN"][0])[1].split())
    asked = " ".join(re.findall(r"call APT_INSTALL,([^)]+)\)", makefile)).split()
    elsewhere = {"python$(VERSION", "chromium", "chromium-driver"}  # in the image; for tests only
    assert installed == {"make", *asked} - elsewhere


def test_what_it_copies_is_what_git_keeps():
    assert GIVEN["COPY"] == ["--chown=${NB_UID} . ."]
    # A pattern of git without a slash inside is for every folder, one of Docker for the first.
    ignored = {
        pattern if "/" in pattern.rstrip("/") else f"**/{pattern.rstrip('/')}"
        for pattern in lines(".gitignore")
    }
    assert set(lines(".dockerignore")) == {".git", *ignored}


def test_binder_can_start_it():
    named = [argument.partition("=")[0] for argument in GIVEN["ARG"]]
    assert named == ["NB_USER", "NB_UID"]
    assert GIVEN["ARG"][1] == "NB_UID=1000"
    # Root is left before anything of the checkout runs, and for good.
    user, made = DOCKERFILE.index("\nUSER ${NB_USER}\n"), DOCKERFILE.index(" make .venv")
    assert user < made
    assert GIVEN["USER"] == ["${NB_USER}"]
    assert GIVEN["ENV"][0] == "HOME=/home/${NB_USER}"
    assert GIVEN["WORKDIR"] == ["${HOME}"]
    assert "PATH=${HOME}/.venv/bin:${PATH}" in GIVEN["ENV"][1]
    assert "ENTRYPOINT" not in GIVEN


def test_it_opens_the_folder_of_notebooks_at_the_port_that_is_told():
    (command,) = GIVEN["CMD"]
    program, *arguments = json.loads(command)
    assert program == "jupyter"
    (folder,) = (a.partition("/lab/tree/")[2] for a in arguments if "default_url" in a)
    assert list((ROOT / folder).glob("*.ipynb"))
    assert not any("--port" in argument for argument in arguments), "Jupyter's own is 8888"
    assert GIVEN["EXPOSE"] == ["8888"]
    for text in (DOCKERFILE, README):
        # Jupyter runs what it is sent: it is this machine's alone.
        assert "docker build -t d2l_lrsched .\n" in text or "docker build -t d2l_lrsched .`" in text
        assert "docker run -p 127.0.0.1:8888:8888 d2l_lrsched" in text
