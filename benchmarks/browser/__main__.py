"""Runs every benchmark in the browser: ``python -m benchmarks.browser [--short]``."""

import sys

from benchmarks.run import IN_BROWSER, main

if __name__ == "__main__":
    sys.exit(main([f"browser.{name}" for name in IN_BROWSER]))
