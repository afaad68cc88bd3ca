# SPDX-License-Identifier: MIT
"""The two methods behind one face, for ends that carry either."""

import os

from . import handshake, noise


class Hmac:
    """auth-hmac. tag_time: as handshake.Initiator has it."""

    def __init__(self, psk, realm, tag_time=None):
        self.secrets = handshake.Secrets(psk, realm)
        self.tag_time = tag_time
        self.tokens = handshake.TokenMaker(os.urandom(32))

    def initiator(self, channel, index, params, unix_ms):
        return handshake.Initiator(self.secrets, channel, index, params, os.urandom(32), unix_ms,
                                   self.tag_time)

    def responder(self, channel, params):
        return handshake.Responder(self.secrets, channel, params)

    def _token(self, responder, m1, source, minute):
        return self.tokens.token(minute, 0, responder.channel, source, m1[28:60])

    def shown(self, responder, m1, source, minute):
        """Does it show that its source can receive?"""
        return m1[116:148] in [self._token(responder, m1, source, m) for m in (minute, minute - 1)]

    def answer(self, responder, m1, source, minute, unix_ms):
        """What to say to an M1 that must show it first."""
        h1, remote_index, *_ = responder.open_m1(m1, unix_ms)
        return responder.retry(h1, remote_index, self._token(responder, m1, source, minute),
                               unix_ms)


class Noise:
    """auth-noise."""

    def __init__(self, private, remote_public, psk, realm):
        self.identity = noise.Identity(private, remote_public, psk, realm)
        self.cookies = noise.CookieMaker(os.urandom(32))

    def initiator(self, channel, index, params, unix_ms):
        return noise.Initiator(self.identity, channel, index, params, os.urandom(32), unix_ms)

    def responder(self, channel, params):
        return noise.Responder(self.identity, channel, params)

    def _cookie(self, responder, m1, source):
        return self.cookies.cookie(responder.channel, source, m1[12:44])

    def shown(self, responder, m1, source, _minute):
        return m1[168:] == noise.mac2(self._cookie(responder, m1, source), m1[:168])

    def answer(self, responder, m1, source, _minute, _unix_ms):
        return noise.write_cookie(self.identity.public, m1, os.urandom(32),
                                  self._cookie(responder, m1, source))
