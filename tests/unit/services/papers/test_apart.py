"""ASVS b40: what an office's own template may read: its folder and its data, and nothing else."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.services.papers import PaperError, engine, render
from app.services.papers.engine import OWN
from app.services.papers.samples import SAMPLES
from tests.support.papers import PrintedPaper

NOW = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
SECRET = "rahasia-yang-tidak-boleh-terbaca"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    return made


def drawn(folder: Path, text: str) -> str:
    (folder / "label.typ").write_text(text, encoding="utf-8")
    return PrintedPaper(render("label", SAMPLES["label"], folder=folder, now=NOW)).text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('#read("{secret}")', id="a file of the machine"),
        pytest.param('#read("../secret_key")', id="a file above the folder"),
        pytest.param('#read("/../secret_key")', id="a file above the root"),
        pytest.param('#include "../secret_key"', id="a file taken in"),
        pytest.param('#json("../secret_key")', id="a file of data"),
        pytest.param('#image("../secret_key")', id="a picture"),
        pytest.param('#plugin("../secret_key")', id="a program"),
        pytest.param('#read("secret_key")', id="what lies beside the templates and is none"),
        pytest.param('#read("kunci.svg")', id="a link that leads out of the folder"),
        pytest.param('#read("luar/secret_key")', id="a folder that leads out of the folder"),
        pytest.param('#read("/proc/self/environ")', id="the environment"),
        pytest.param('#sys.environ.SECRET_KEY', id="a name of the environment"),
        pytest.param('#eval("read(\\"../secret_key\\")")', id="a program in a text"),
        pytest.param('#let p = "@" + "preview/x:1.0.0"\n#import p: *', id="a package, put together"),
        pytest.param('#import ("@" + "local/x:1.0.0"): *', id="a package of the machine"),
        pytest.param('#import "/app/config.py": *', id="another module"),
    ],
)  # fmt: skip
def test_asvs_b40_a_template_reads_its_own_folder_and_no_more(
    folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = folder.parent / "secret_key"
    secret.write_text(SECRET, encoding="utf-8")
    (folder / "secret_key").write_text(SECRET, encoding="utf-8")
    (folder / "kunci.svg").symlink_to(secret)
    (folder / "luar").symlink_to(folder.parent)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    with pytest.raises(PaperError) as refusal:
        drawn(folder, text.format(secret=secret) if "{secret}" in text else text)
    assert refusal.value.code in ("paper_mistake", "paper_package")
    assert refusal.value.params["file"] == "label.typ"
    assert SECRET not in str(refusal.value.params)
    assert str(folder.parent) not in str(refusal.value.params)


def test_asvs_b40_it_is_told_its_data_and_nothing_of_the_panel(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)
    told = drawn(folder, "#repr(sys.inputs.keys()) #repr(dictionary(sys).keys()) #sys.inputs")
    assert '("data",)' in told
    assert '("version", "inputs")' in told
    assert SECRET not in told
    assert "SECRET_KEY" not in engine._environment()
    assert not set(engine._environment()) & (set(os.environ) - {"SYSTEMROOT"})


def test_asvs_b40_nobody_is_asked_for_a_package_not_even_for_its_address(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name might carry what stands on the paper: the way out ends at our own shut door."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        door.settimeout(10)
        monkeypatch.setattr(engine, "_CLOSED", f"http://127.0.0.1:{door.getsockname()[1]}")
        monkeypatch.setattr(engine, "_MOST_SECONDS", 2)
        with pytest.raises(PaperError):
            drawn(folder, '#import ("@" + "preview/kartini:1.0.0"): *')
        asked, _address = door.accept()
        with asked:
            assert asked.recv(100).startswith(b"CONNECT ")


def test_asvs_b40_a_template_without_an_end_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_MOST_SECONDS", 1)
    endless = "#for a in range(9999) { for b in range(9999) { for c in range(9999) { } } }"
    with pytest.raises(PaperError) as refusal:
        drawn(folder, endless)
    assert (refusal.value.code, refusal.value.params) == ("paper_endless", {"file": "label.typ"})


def test_a_paper_drawn_apart_is_the_same_paper(folder: Path) -> None:
    ours = render("label", SAMPLES["label"], now=NOW)
    text = (OWN / "label.typ").read_text(encoding="utf-8")
    (folder / "label.typ").write_text(text, encoding="utf-8")
    assert render("label", SAMPLES["label"], folder=folder, now=NOW) == ours


def test_a_link_within_the_folder_is_a_file_of_the_office(folder: Path) -> None:
    """As Kubernetes mounts them."""
    (folder / "..data").mkdir()
    (folder / "..data" / "label.typ").write_text("Kantor kami", encoding="utf-8")
    (folder / "label.typ").symlink_to("..data/label.typ")
    paper = PrintedPaper(render("label", SAMPLES["label"], folder=folder, now=NOW))
    assert "Kantor kami" in paper.text
