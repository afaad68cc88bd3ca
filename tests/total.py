#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Adds up the test cases in what `ctest --output-junit` wrote.

  tests/total.py FILE...

A ctest is one program with many cases: their numbers are read from what cmocka and the end-to-end
tests print; a program that prints neither counts as one. A case that failed, and a program that
crashed, is named. The last line is "N passed, N failed, N skipped"; the exit code 1 if any failed.
"""

import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = {
    "passed": re.compile(r"^\[  PASSED  \] (\d+) test\(s\)\.", re.M),
    "failed": re.compile(r"^\[  FAILED  \] .*: (\d+) test\(s\)", re.M),
    "skipped": re.compile(r"^\[  SKIPPED \] .*: (\d+) test\(s\)", re.M),
}
E2E = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
REASON = re.compile(r"^(?:ok \d+ - |1\.\.0)(.*# SKIP .*)$", re.M)


def cases(program):
    """(passed, failed, skipped) of one ctest, whose own verdict overrules its words."""
    text = program.findtext("system-out") or ""
    status = program.get("status")
    if e2e := E2E.findall(text):
        passed, failed, skipped = map(int, e2e[-1])
    else:
        passed, failed, skipped = (
            sum(map(int, pattern.findall(text))) for pattern in CMOCKA.values()
        )
    if status == "fail" and failed == 0:
        failed = 1
    elif status in ("notrun", "disabled") and skipped == 0:
        skipped = 1
    elif passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def main():
    total = [0, 0, 0]
    for path in sys.argv[1:]:
        for program in xml.parse(path).getroot().iter("testcase"):
            counts = cases(program)
            total = [a + b for a, b in zip(total, counts)]
            name = program.get("name")
            if counts[1]:
                print(f"FAILED   {name} ({path})")
            for reason in REASON.findall(program.findtext("system-out") or ""):
                print(f"skipped  {name}: {reason.replace('# SKIP', '').strip()}")
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
