"""The vectors of AWS's "Signature Version 4 test suite" (General Reference) that requests like ours meet, and its worked example.

    python3 -m unittest discover -s tests
"""

import datetime
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "deployer"))
sys.dont_write_bytecode = True

import sigv4

SUITE_KEY = sigv4.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TIME = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORM_UTF8 = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def signature(method, url, headers=None, body=b"", region="us-east-1", service="service", credentials=SUITE_KEY):
    headers = sigv4.signed(
        method, url, headers or {}, body, credentials=credentials, region=region, service=service, time=TIME,
    )
    return headers["authorization"]


class PublishedVectors(unittest.TestCase):
    def check(self, expected, *request, **more):
        self.assertEqual(signature(*request, **more).rsplit("Signature=")[-1], expected)

    def test_get_vanilla(self):
        authorization = signature("GET", "https://example.amazonaws.com/")
        self.assertEqual(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        )

    def test_get_vanilla_query_order_key_case(self):
        self.check(
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        )

    def test_post_vanilla(self):
        self.check(
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            "POST", "https://example.amazonaws.com/",
        )

    def test_post_x_www_form_urlencoded(self):
        self.check(
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            "POST", "https://example.amazonaws.com/", FORM, b"Param1=value1",
        )

    def test_the_worked_example_of_the_general_reference(self):
        self.check(
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", FORM_UTF8, service="iam",
        )


class Canonical(unittest.TestCase):
    def test_the_request_of_get_vanilla_query_order_key_case(self):
        headers = {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"}
        request = sigv4.canonical_request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", headers, b"")
        self.assertEqual(request, "\n".join([
            "GET", "/", "Param1=value1&Param2=value2", "host:example.amazonaws.com", "x-amz-date:20150830T123600Z",
            "", "host;x-amz-date", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ]))

    def test_a_session_token_is_sent_and_signed(self):
        credentials = sigv4.Credentials("AKIDEXAMPLE", "secret", "token")
        headers = sigv4.signed(
            "POST", "https://ecs.eu-central-1.amazonaws.com/", {}, b"{}",
            credentials=credentials, region="eu-central-1", service="ecs", time=TIME,
        )
        self.assertEqual(headers["x-amz-security-token"], "token")
        self.assertIn("SignedHeaders=host;x-amz-date;x-amz-security-token,", headers["authorization"])


if __name__ == "__main__":
    unittest.main()
