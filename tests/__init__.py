"""The tests. Their processes start in a third of the time with bytecode, and write it where it is not yet.

Also where PYTHONDONTWRITEBYTECODE forbids that to a person's own commands: git ignores what is written, and several
hundred processes that compile all of Django again are most of what the tests take.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
