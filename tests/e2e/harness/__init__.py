# SPDX-License-Identifier: MIT
"""What the end-to-end tests stand on: sandbox, network, daemon, traffic, relay, runner."""
