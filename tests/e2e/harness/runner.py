# SPDX-License-Identifier: MIT
"""Runs the tests of one file: `main()` at its end.

  test_x.py [-l] [-k TEXT]...     -l lists the tests, -k runs those whose name contains TEXT

Prints TAP and, as the last line, "N passed, N failed, N skipped". Exit codes: 0, 1 for a failure,
77 when everything was skipped, 130 when it was interrupted. WT_BUILD_DIR names the build tree (default: build/dev).
"""

import argparse
import os
import sys
import time
import unittest

from . import sandbox

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class TapResult(unittest.TestResult):
    """One line a test, as it ends."""

    def __init__(self):
        super().__init__()
        self.number = self.passed = 0
        self.failed = set()
        self._started = 0.0
        self._subtest_failed = False

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        self._subtest_failed = False

    def _line(self, verdict, test, remark=""):
        self.number += 1
        took = time.monotonic() - self._started
        name = test.id().partition(".")[2]
        print(f"{verdict} {self.number} - {name}{remark} # {took:.1f} s", flush=True)

    def _details(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print(f"  {line}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self._line("ok", test)

    def _failed(self, test, shown, error):
        self.failed.add(test.id())  # once, however many of its subtests and clean-ups do
        self._line("not ok", shown)
        self._details(test, error)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(test, subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("ok", test, f" # SKIP {reason}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-l", "--list", action="store_true")
    parser.add_argument("-k", "--name", action="append", default=[])
    options = parser.parse_args()
    suite = unittest.TestSuite(_chosen(options.name))
    if options.list:
        for test in suite:
            print(test.id().partition(".")[2])
        return
    sandbox.enter()
    sandbox.install(os.environ.get("WT_BUILD_DIR", os.path.join(ROOT, "build/dev")))
    result = TapResult()
    code = 0
    try:
        suite.run(result)
    except KeyboardInterrupt as signal:
        print(f"Bail out! {signal}")
        code = 130
    failed = len(result.failed)
    print(f"1..{result.number}")
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    if code == 0 and failed:
        code = 1
    elif code == 0 and result.passed == 0:
        code = sandbox.SKIP if result.skipped else 1
    # No interpreter shutdown: the kernel ends what is still here together with this process.
    os._exit(code)


def _chosen(names):
    for suite in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]):
        for test in suite:
            if not names or any(name in test.id() for name in names):
                yield test
