# SPDX-License-Identifier: MIT
"""What scripts/bench runs: rows (what is measured), measures (how), and what is made of them.

Runs as `python3 -m bench.harness` with the root of the project as the first place for modules.
"""
