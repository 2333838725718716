"""gRPC's own client against the sample's echo. Arguments: the address, and which part to play."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

ADDRESS, PART = sys.argv[1:]
SERVICE = "/pilotage.sample.Echo/"
PATIENCE = 30

channel = grpc.insecure_channel(ADDRESS, options=[("grpc.max_receive_message_length", 16 * 1024 * 1024)])
unary = channel.unary_unary(SERVICE + "Unary")
client_stream = channel.stream_unary(SERVICE + "ClientStream")
server_stream = channel.unary_stream(SERVICE + "ServerStream")
bidi_stream = channel.stream_stream(SERVICE + "BidiStream")


def fails_with(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f"expected {code}")


def calls_of_one_message():
    for message in [b"", b"hello", bytes(range(256)) * 4_000]:
        assert unary(message, timeout=PATIENCE) == message
    answer, call = unary.with_call(b"x", metadata=[("sample-echo", "there and back")], timeout=PATIENCE)
    head, trailers = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert answer == b"x" and call.code() == grpc.StatusCode.OK
    assert head["sample-echo"] == "there and back" and head["pilotage-version"] == "1.0.0", head
    assert trailers["sample-messages"] == "1", trailers
    with ThreadPoolExecutor(50) as pool:
        messages = [b"%d" % number for number in range(500)]
        assert list(pool.map(lambda message: unary(message, timeout=PATIENCE), messages)) == messages


def streams_from_the_client():
    pieces = [b"%d," % number for number in range(1_000)]
    assert client_stream(iter(pieces), timeout=PATIENCE) == b"".join(pieces)
    assert client_stream(iter([]), timeout=PATIENCE) == b""
    large = [bytes([number]) * 500_000 for number in range(10)]
    answer, call = client_stream.with_call(iter(large), timeout=PATIENCE)
    assert answer == b"".join(large) and call.code() == grpc.StatusCode.OK
    # One message is more than the service takes: it says so before it has read them all.
    endless = (bytes(1_000_000) for _ in range(200))
    fails_with(grpc.StatusCode.INVALID_ARGUMENT, lambda: client_stream(endless, timeout=PATIENCE))


def streams_from_the_server():
    call = server_stream(b"again", metadata=[("sample-count", "100")], timeout=PATIENCE)
    assert list(call) == [b"again"] * 100
    assert dict(call.trailing_metadata())["sample-messages"] == "100"
    slow = [("sample-count", "5"), ("sample-pause-ms", "20")]
    assert len(list(server_stream(b"slow", metadata=slow, timeout=PATIENCE))) == 5
    assert list(server_stream(b"none", metadata=[("sample-count", "0")], timeout=PATIENCE)) == []


def streams_both_ways():
    # Each message is sent only when the one before has come back.
    answered = threading.Semaphore(1)

    def messages():
        for number in range(200):
            assert answered.acquire(timeout=PATIENCE)
            yield b"message %d" % number

    count = 0
    for answer in bidi_stream(messages(), timeout=PATIENCE):
        assert answer == b"message %d" % count
        count += 1
        answered.release()
    assert count == 200
    large = [bytes([number]) * 300_000 for number in range(20)]
    assert list(bidi_stream(iter(large), timeout=PATIENCE)) == large


def failures():
    # A failure without messages has its status in the head.
    call = lambda: unary(b"x", metadata=[("sample-status", "5")], timeout=PATIENCE)
    error = fails_with(grpc.StatusCode.NOT_FOUND, call)
    assert error.details() == "failed as its caller asked", error
    missing = channel.unary_unary(SERVICE + "Missing")
    fails_with(grpc.StatusCode.UNIMPLEMENTED, lambda: missing(b"x", timeout=PATIENCE))


def deadlines():
    late = [("sample-delay-ms", "20000")]
    fails_with(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(b"x", metadata=late, timeout=0.3))
    endless = [("sample-count", "1000000"), ("sample-pause-ms", "10")]
    call = server_stream(b"x", metadata=endless, timeout=0.5)
    fails_with(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(call))


def cancellation():
    endless = [("sample-count", "1000000"), ("sample-pause-ms", "5")]
    call = server_stream(b"x", metadata=endless, timeout=PATIENCE)
    for _ in range(3):
        assert next(call) == b"x"
    call.cancel()
    fails_with(grpc.StatusCode.CANCELLED, lambda: list(call))
    assert unary(b"after", timeout=PATIENCE) == b"after"


def a_stream_over_a_drain():
    """Holds a stream while the edge is told to stop, and ends it afterwards."""
    go_on = threading.Event()

    def messages():
        yield b"before"
        assert go_on.wait(PATIENCE)
        for number in range(10):
            yield b"after %d" % number

    answers = bidi_stream(messages(), timeout=PATIENCE)
    assert next(answers) == b"before"
    print("open")
    sys.stdin.readline()
    go_on.set()
    assert list(answers) == [b"after %d" % number for number in range(10)]
    assert answers.code() == grpc.StatusCode.OK


if PART == "drain":
    a_stream_over_a_drain()
else:
    for part in [
        calls_of_one_message,
        streams_from_the_client,
        streams_from_the_server,
        streams_both_ways,
        failures,
        deadlines,
        cancellation,
    ]:
        part()
        print(part.__name__)
print("done")
