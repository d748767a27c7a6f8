"""`python -m tests.benchmarks NAME`: measure, print a table, and exit with 1 where a target is missed."""

import argparse
import importlib
import sys

MODULES = {
    "api": "tests.benchmarks.api",
    "import": "tests.benchmarks.importing",
    "metrics": "tests.benchmarks.metrics",
    "migration": "tests.benchmarks.migration",
    "page": "tests.benchmarks.page",
    "streaming": "tests.benchmarks.streaming",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(MODULES), help="What to measure.")
    parser.add_argument("--quick", action="store_true", help="Small files and few runs: shows that it works.")
    arguments = parser.parse_args()
    return importlib.import_module(MODULES[arguments.name]).run(quick=arguments.quick)


if __name__ == "__main__":
    sys.exit(main())
