"""The committed bundle of the pages is what their sources make, and it is small."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = Path("plugins", "order_cancellation", "api", "static", "main.js")
TEMPLATES = Path("plugins", "order_cancellation", "scripts", "templates")
MOST_BYTES = 200_000

needs_node = pytest.mark.needs("node")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, page_packages: Path) -> Path:
    """The sources and the locked packages, where nothing else that lies about can help."""
    home = tmp_path_factory.mktemp("workshop")
    shutil.copytree(ROOT / "ui", home / "ui", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(ROOT / TEMPLATES, home / TEMPLATES)
    (home / "ui" / "node_modules").symlink_to(page_packages)
    return home


def npm(home: Path, *words: str) -> None:
    """Run npm in the sources' folder."""
    done = subprocess.run(["npm", *words], cwd=home / "ui", capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"npm {' '.join(words)}\n{(done.stdout + done.stderr)[-8000:]}"


def test_the_bundle_is_small_enough_to_be_there_at_once() -> None:
    assert len(gzip.compress((ROOT / MAIN).read_bytes())) < MOST_BYTES


@needs_node
def test_the_committed_bundle_is_built_from_these_sources(workshop: Path) -> None:
    npm(workshop, "run", "build")
    assert (workshop / MAIN).read_bytes() == (ROOT / MAIN).read_bytes(), "run `make ui` and commit main.js"


@needs_node
def test_the_sources_keep_to_their_rules(workshop: Path) -> None:
    npm(workshop, "run", "lint")


@needs_node
def test_the_pages_do_what_their_own_tests_say(workshop: Path) -> None:
    npm(workshop, "run", "test")
