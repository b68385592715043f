"""A run as something to type: the command, the Python or the C++ that trains the same network again.

    config.py   what config.json says, checked: a Training
    shell.py    a Training as `digitnet train ...`
    python.py   as a program in Python
    cpp.py      as one in C++

A new option of dn.train that has the same name everywhere, and is a number or a truth, is one line of
config.OPTIONS (and a name in shell.UNSAID, if the command line does not have it). Any other one is a member
of config.Training, read in config.read, and a few lines in each of the three forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.runs import printable
from digitnet.web.errors import ApiError, invalid
from digitnet.web.services import run_events, run_folders
from digitnet.web.services.commands import config, cpp, python, shell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORMS = {"shell": (shell.lines, "#"), "python": (python.lines, "#"), "cpp": (cpp.lines, "//")}
"""What writes each form, and what its comments begin with."""


def command(run_id: str, form: str) -> dict[str, str]:
    """What trains the network of a run again.

    Args:
        run_id: of a run that has begun.
        form: "shell", "python" or "cpp".

    Returns:
        {"form", "text"}

    Raises:
        ApiError: 404 if there is no such run, 422 for another form, 409 if no form can say it.
    """
    if form not in _FORMS:
        raise invalid(f"form: '{form[:20]}', expected one of {', '.join(_FORMS)}", "form")
    try:
        run = run_folders.find(run_id)
        said = text(run.config, run_events.changes(run), form)
    except (config.Unsaid, dn.FormatError, KeyError, TypeError, ValueError) as error:
        raise ApiError(
            409, "not_sayable", f"the config of '{run_id}' cannot be said in this form: {error}"
        ) from None
    return {"form": form, "text": said}


def text(said: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], form: str) -> str:
    """The same for what a config.json says, and the changes of the learning rate that were made meanwhile.

    Raises:
        Unsaid, KeyError, TypeError, ValueError: if it does not say all that is needed.
    """
    training = config.read(said, changes)
    write, mark = _FORMS[form]
    lines = write(training)  # which may add to the notes
    return "\n".join([*(f"{mark} {printable(note)}." for note in training.notes), *lines]) + "\n"
