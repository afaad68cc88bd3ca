# SPDX-License-Identifier: MIT
"""WhisperTunnel's wire protocol, written from docs/protocol.md alone.

It shares no code with the daemon, is meant to be read beside the document and
is slow. It exists to prove that the document is enough and the daemon follows
it; nobody should carry traffic with it.
"""


class Refused(Exception):
    """A message or packet that the protocol says to drop; the text says why."""
