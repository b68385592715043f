"""The code in README.md and the tutorial is run as it stands, on the small sample of MNIST."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_python_code_runs(page, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(ROOT / "tests/data/mnist-sample"))
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # as in the checkout, for which the pages are written
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(page, "python"))
    assert "dn.train(" in code
    exec(compile(code, page, "exec"), {})
    assert list(tmp_path.glob("*.safetensors"))


def test_cpp_code_of_the_readme_is_the_example_that_is_built_and_run():
    assert blocks("README.md", "cpp") == [(ROOT / "examples/cpp/quick_start.cpp").read_text()]


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
