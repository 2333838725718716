"""A WebSocket client against the sample's echo. Arguments: the address, and which part to play."""

import asyncio
import sys

import websockets

ADDRESS, PART = sys.argv[1:]
URL = f"ws://{ADDRESS}/websocket"


async def closes_with(socket, code):
    try:
        await asyncio.wait_for(socket.recv(), 30)
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd is not None, "cut without a close"
        assert closed.rcvd.code == code, closed
        return
    raise AssertionError("still open")


async def messages():
    async with websockets.connect(URL, max_size=None) as socket:
        assert socket.response_headers["Pilotage-Version"] == "1.0.0", socket.response_headers
        large = "ü" * 1_000_000
        for message in ["", "hello", "ünïcode", b"", bytes(range(256)), large, large.encode()]:
            await socket.send(message)
            assert await socket.recv() == message
        # A list is sent as one message in fragments.
        await socket.send(["one ", "two ", "three"])
        assert await socket.recv() == "one two three"


async def pings():
    async with websockets.connect(URL) as socket:
        for payload in [b"", b"are you there", bytes(125)]:
            await asyncio.wait_for(await socket.ping(payload), 30)


async def closes():
    for code in [1000, 1001, 3000, 4999]:
        socket = await websockets.connect(URL)
        await socket.close(code, "because")
        assert socket.close_code == code, socket.close_code


async def many_at_once():
    async def one(number):
        async with websockets.connect(URL) as socket:
            for turn in range(20):
                await socket.send(f"{number} {turn}")
                assert await socket.recv() == f"{number} {turn}"

    await asyncio.gather(*(one(number) for number in range(50)))


async def told_to_go():
    """Holds a WebSocket until it is told to go, and comes back to the next version."""
    socket = await websockets.connect(URL)
    await socket.send("before")
    assert await socket.recv() == "before"
    print("open")
    await closes_with(socket, 1001)
    async with websockets.connect(URL) as socket:
        assert socket.response_headers["Pilotage-Version"] == "2.0.0"


async def main():
    if PART == "drain":
        await told_to_go()
        return
    for part in [messages, pings, closes, many_at_once]:
        await asyncio.wait_for(part(), 60)
        print(part.__name__)


asyncio.run(main())
print("done")
