"""python -m digitnet: the same as the command digitnet."""

import sys

from digitnet.cli import main

sys.exit(main())
