"""Signs webhooks, as https://www.standardwebhooks.com (version 1) describes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_PREFIX = "whsec_"
_BYTES = 32  # the specification wants 24 to 64


def new_secret() -> bytes:
    """A random key for one webhook."""
    return secrets.token_bytes(_BYTES)


def encode_secret(secret: bytes) -> str:
    """The secret in the text form that the webhook's owner gets."""
    return _PREFIX + base64.b64encode(secret).decode()


def headers(secret: bytes, identity: str, timestamp: int, content: bytes) -> dict[str, str]:
    """The three headers for one attempt to deliver ``content``.

    ``identity`` is the same for every attempt, and has no full stop in it; ``timestamp``
    is of the attempt, in seconds since 1970.
    """
    signed = f"{identity}.{timestamp}.".encode() + content
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
