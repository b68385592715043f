"""What manage.py is to other projects: python -m digitnet.web migrate, check --deploy, ..."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitnet.web.settings")
    execute_from_command_line(["python -m digitnet.web", *sys.argv[1:]])
