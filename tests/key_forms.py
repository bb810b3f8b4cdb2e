"""A key in the forms in which it could come to a browser."""

import base64


def forms_of(secret: str) -> list[bytes]:
    """As it is, backwards, its end, and in base64 wherever it begins in it."""
    encoded = [base64.b64encode(b" " * shift + secret.encode())[4:-4] for shift in range(3)]
    return [secret.encode(), secret[::-1].encode(), secret[-12:].encode(), *encoded]
