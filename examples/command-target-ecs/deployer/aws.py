"""Asks AWS: JSON 1.1 for ECS, ECR and CloudWatch Logs; the query protocol with XML for Elastic Load Balancing."""

import datetime
import json
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

import sigv4
from contract import Refused

TIMEOUT_S = 20
# The longest answer that is read, in bytes.
ANSWER_LIMIT = 8 << 20

# What X-Amz-Target begins with, by the name under which requests are signed.
JSON_TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "logs": "Logs_20140328",
}
HOSTS = {"ecs": "ecs", "ecr": "api.ecr", "logs": "logs", "elasticloadbalancing": "elasticloadbalancing"}
ELB_VERSION = "2015-12-01"

# Errors that are over in a moment; see "Common Errors" of each API's reference.
TRANSIENT = {
    "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "ServerException",
    "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure", "InternalServerError",
    "RequestTimeout", "RequestTimeoutException",
}
MENDS = {
    "ExpiredTokenException": "give the control plane fresh credentials",
    "ExpiredToken": "give the control plane fresh credentials",
    "UnrecognizedClientException": "correct AWS_ACCESS_KEY_ID, and the session token if there is one",
    "InvalidClientTokenId": "correct AWS_ACCESS_KEY_ID, and the session token if there is one",
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY, and the clock of this machine",
    "InvalidSignatureException": "correct AWS_SECRET_ACCESS_KEY, and the clock of this machine",
    "AccessDeniedException": "allow the action in the policy of these credentials; README.md lists all that are needed",
    "AccessDenied": "allow the action in the policy of these credentials; README.md lists all that are needed",
}


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signed request is for the host that it was signed for."""

    def redirect_request(self, *_arguments, **_more):
        return None


OPENER = urllib.request.build_opener(NoRedirects)


class AwsError(Refused):
    """An error that AWS answered, by its code."""

    def __init__(self, doing, code, message):
        kind = "transient" if code in TRANSIENT else "permanent"
        super().__init__(kind, f"{doing}: {code}: {message}", MENDS.get(code))
        self.code = code


class Aws:
    """One account and region."""

    def __init__(self, region, credentials, endpoint=None):
        self.region = region
        self.credentials = credentials
        self.endpoint = endpoint

    def ask(self, service, operation, body):
        """One operation of a service that speaks JSON 1.1."""
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{JSON_TARGETS[service]}.{operation}",
        }
        answer = self.post(service, operation, headers, json.dumps(body).encode())
        return json.loads(answer)

    def ask_elb(self, action, parameters):
        """One action of Elastic Load Balancing; the element with its result."""
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        form = {"Action": action, "Version": ELB_VERSION, **flattened(parameters)}
        answer = self.post("elasticloadbalancing", action, headers, urllib.parse.urlencode(form).encode())
        return without_namespaces(xml.fromstring(answer)).find(f"{action}Result")

    def post(self, service, operation, headers, body):
        url = self.endpoint or f"https://{HOSTS[service]}.{self.region}.amazonaws.com/"
        doing = f"{service}:{operation}"
        time = datetime.datetime.now(datetime.timezone.utc)
        headers = sigv4.signed(
            "POST", url, headers, body,
            credentials=self.credentials, region=self.region, service=service, time=time,
        )
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")
        try:
            with OPENER.open(request, timeout=TIMEOUT_S) as response:
                return response.read(ANSWER_LIMIT)
        except urllib.error.HTTPError as error:
            raise read_error(doing, error) from None
        except OSError as error:
            raise Refused("transient", f"{doing}: {url} cannot be reached: {error}") from None


def read_error(doing, error):
    """JSON services write `__type` and `message`, which some capitalize; the query protocol writes XML."""
    text = error.read(ANSWER_LIMIT)
    try:
        told = json.loads(text)
        code = told.get("__type", "").rsplit("#")[-1]
        message = told.get("message") or told.get("Message") or ""
    except ValueError:
        code, message = read_xml_error(text)
    if not code and error.code >= 500:
        code = "ServiceUnavailable"
    return AwsError(doing, code or f"HTTP {error.code}", message)


def read_xml_error(text):
    try:
        told = without_namespaces(xml.fromstring(text)).find("Error")
    except xml.ParseError:
        told = None
    if told is None:
        return "", ""
    return told.findtext("Code", ""), told.findtext("Message", "")


def flattened(value, name=""):
    """Nested values in the query protocol: `A.member.1.B=…`."""
    if isinstance(value, dict):
        fields = value.items()
    elif isinstance(value, list):
        fields = [(f"member.{number}", item) for number, item in enumerate(value, 1)]
    else:
        written = str(value).lower() if isinstance(value, bool) else str(value)
        return {name: written}
    flat = {}
    for field, item in fields:
        flat |= flattened(item, f"{name}.{field}" if name else field)
    return flat


def without_namespaces(element):
    for each in element.iter():
        each.tag = each.tag.rsplit("}")[-1]
    return element
