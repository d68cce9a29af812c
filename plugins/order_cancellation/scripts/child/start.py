"""Started as ``python -I -S start.py``: makes the child's package importable, once, and runs it."""

import gc
import importlib
import os
import sys

if __name__ == "__main__":
    gc.disable()  # until all is imported: hardly anything of it is garbage
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    main = importlib.import_module("child.main").main
    del sys.path[0]
    main()
