"""Signs requests to AWS: Signature Version 4.

As documented in "Create a signed AWS API request" of the IAM User Guide; checked against the vectors that AWS publishes in
../tests/test_sigv4.py.
"""

import hashlib
import hmac
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials:
    """Who asks. The session token is there for temporary credentials only."""

    def __init__(self, key_id, secret_key, session_token=None):
        self.key_id = key_id
        self.secret_key = secret_key
        self.session_token = session_token


def signed(method, url, headers, body, *, credentials, region, service, time):
    """The headers with those that prove who asks. `time` is a datetime in UTC, `body` are bytes."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ")
    headers = {**headers, "host": urllib.parse.urlsplit(url).netloc, "x-amz-date": stamp}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(name.lower() for name in headers))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    request = canonical_request(method, url, headers, body)
    to_sign = "\n".join([ALGORITHM, stamp, scope, digest(request.encode())])
    signature = hmac_of(signing_key(credentials.secret_key, stamp[:8], region, service), to_sign).hex()
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def canonical_request(method, url, headers, body):
    """The request in the one form in which it is signed."""
    parts = urllib.parse.urlsplit(url)
    query = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    encoded = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query)
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    written = "".join(f"{name}:{value}\n" for name, value in lines)
    names = ";".join(name for name, _ in lines)
    return "\n".join([method, parts.path or "/", encoded, written, names, digest(body)])


def signing_key(secret_key, date, region, service):
    """A key for one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac_of(key, part)
    return key


def hmac_of(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def quoted(text):
    """Everything but the unreserved characters of RFC 3986 is escaped."""
    return urllib.parse.quote(text, safe="-_.~")
