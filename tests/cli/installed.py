# SPDX-License-Identifier: MIT
"""An installation of the build in a fresh prefix, and shells that use it as a plugin's developer
would: `wtplug` in the PATH, CMake and pkg-config told where the SDK is."""

import os
import re
import shutil
import stat
import subprocess


def build_options(build_dir):
    """What CMake must be told to build a plugin as the host was: with its sanitizers, if it has
    some, and then with its compiler."""
    with open(os.path.join(build_dir, "CMakeCache.txt"), encoding="utf-8") as file:
        cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.MULTILINE))
    if not cache.get("WT_SANITIZE"):
        return ""
    flags = f"-fsanitize={cache['WT_SANITIZE']} -fno-sanitize-recover=all"
    return (
        f"-DCMAKE_C_COMPILER={cache['CMAKE_C_COMPILER']} -DWT_SANITIZE={cache['WT_SANITIZE']}"
        f" -DCMAKE_C_FLAGS='{flags}'"
    )


# Rust's own installer puts its commands where only a login shell looks.
PATH = os.environ["PATH"] + ":" + os.path.expanduser("~/.cargo/bin")


def cargo_missing():
    """Why no Rust can be built, or None."""
    try:
        done = subprocess.run(
            ["cargo", "--version"],
            env={**os.environ, "PATH": PATH},
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        return "cargo is not installed"
    return f"cargo does not work: {done.stderr.strip()}" if done.returncode != 0 else None


class Installation:
    def __init__(self, build_dir, folder):
        """Into the existing `folder`, whose owner removes it."""
        self.folder = folder
        self.prefix = os.path.join(folder, "prefix")
        subprocess.run(
            ["cmake", "--install", build_dir, "--prefix", self.prefix],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # The loader wants to be sure that nobody else writes to a plugin.
        for where, _, files in os.walk(self.prefix):
            for path in [where, *(os.path.join(where, name) for name in files)]:
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & ~0o022)
        (pc,) = self.find("whispertunnel.pc")
        # Nobody says where the plugins are: the programs find them by where they are themselves.
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "WT_PLUGIN_DIR"},
            "PATH": f"{self.prefix}/bin:{folder}:{PATH}",
            "CMAKE_PREFIX_PATH": self.prefix,
            "PKG_CONFIG_PATH": os.path.dirname(pc),
        }
        self.plugin_dir = self.pkg_config("--variable=plugindir")
        with open(os.path.join(folder, "sudo"), "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nexec "$@"\n')
        os.chmod(os.path.join(folder, "sudo"), 0o755)

    def copy(self, project):
        """A copy of a plugin's directory beside the prefix, without what was built in it."""
        where = os.path.join(self.folder, os.path.basename(project))
        shutil.copytree(project, where, ignore=shutil.ignore_patterns("build", "target", "*.so"))
        return where

    def find(self, name):
        return [
            os.path.join(folder, name)
            for folder, _, files in os.walk(self.prefix)
            if name in files
        ]

    def pkg_config(self, *arguments):
        done = subprocess.run(
            ["pkg-config", *arguments, "whispertunnel"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        return os.path.normpath(done.stdout.strip())

    def shell(self, script, timeout=600, cwd=None):
        """Runs it in `folder` or `cwd`; standard output has both streams."""
        return subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
            cwd=cwd or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
        )
