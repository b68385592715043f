"""A server of its own for each test file, and a browser in which no error and foreign request is missed."""

import pytest
from serving import CHROMIUM_FLAGS, PATIENCE, TESTS, Server, Visit, chromium_path

import digitnet as dn


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for the tests of one file."""
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    started.stop()
    errors = started.errors()
    assert "Traceback" not in errors, errors


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, headless."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium here; ./dev setup installs it")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, server):
    """visit.page("training/") opens a page; there must be no error and no foreign request until the end."""
    visits = Visit(browser, server)
    yield visits
    visits.close()


@pytest.fixture(scope="session")
def digit_strokes():
    """Drawings of digits by real people, from tests/data/strokes."""
    return dn.read_drawings(TESTS / "data" / "strokes" / "digits.jsonl")
