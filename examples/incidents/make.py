"""Makes failing-canary.csv: a version with 20 of 200 requests a second, of which 3 % fail.

    python3 examples/incidents/make.py > examples/incidents/failing-canary.csv

The random numbers are seeded, so that it is the same file each time.
"""

import datetime
import random

SEED = 7
STEP_SECONDS = 10
MINUTES_BEFORE, MINUTES_OF_CANARY = 5, 15
BEGIN = datetime.datetime(2026, 7, 1, 9, 0, tzinfo=datetime.timezone.utc)


def counts(randomness, requests_per_second, share_failing):
    """Requests of one interval, and the failed ones among them."""
    requests = round(randomness.gauss(requests_per_second * STEP_SECONDS, requests_per_second ** 0.5))
    failed = sum(randomness.random() < share_failing for _ in range(requests))
    return requests, failed


def times(randomness):
    """Milliseconds: the median, and the 95th and 99th percentile."""
    return [round(randomness.gauss(usual, usual * 0.03), 1) for usual in (12, 38, 85)]


def main():
    randomness = random.Random(SEED)
    print("time,version,requests,failed,p50_ms,p95_ms,p99_ms")
    steps_before = MINUTES_BEFORE * 60 // STEP_SECONDS
    steps = steps_before + MINUTES_OF_CANARY * 60 // STEP_SECONDS
    for step in range(1, steps + 1):
        time = (BEGIN + datetime.timedelta(seconds=step * STEP_SECONDS)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = [("1.1.0", 200, 0.001)] if step <= steps_before else [("1.1.0", 180, 0.001), ("1.2.0", 20, 0.03)]
        for version, requests_per_second, share_failing in rows:
            fields = [time, version, *counts(randomness, requests_per_second, share_failing), *times(randomness)]
            print(*fields, sep=",")


if __name__ == "__main__":
    main()
