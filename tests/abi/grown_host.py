# SPDX-License-Identifier: MIT
"""A host whose every structure has grown still takes plugins of all recorded ABIs.

Builds a copy of this tree with the headers that later.py makes, with sanitizers, and runs the tests
abi_MAJOR.MINOR there. Takes minutes, so it is a part of scripts/test --full."""

import os
import shutil
import subprocess
import tempfile

SOURCE = os.environ["WT_SOURCE_DIR"]


def run(*command, cwd):
    subprocess.run(command, cwd=cwd, check=True, stdin=subprocess.DEVNULL)


def main():
    with tempfile.TemporaryDirectory(prefix="wt-test-") as place:
        copy = os.path.join(place, "copy")
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("build", ".git"))
        later = os.path.join(copy, "tests/abi/later.py")
        run("/usr/bin/python3", "-B", later, SOURCE + "/include", copy + "/include", cwd=copy)
        # Initialisers that name no field lack the new ones.
        options = ["-DWT_WERROR=OFF", "-DWT_BENCH=OFF", f"-DCMAKE_C_COMPILER={os.environ['WT_CC']}"]
        run("cmake", "--preset", "asan", *options, cwd=copy)
        run("cmake", "--build", "--preset", "asan", "--target", "tests/abi/all", cwd=copy)
        run("ctest", "--preset", "asan", "-R", r"^abi_[0-9]", "--no-tests=error", cwd=copy)


if __name__ == "__main__":
    main()
