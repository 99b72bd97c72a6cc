"""Usage: far.py PORT HOST SECONDS: a relay to sshd on HOST, which is so far away in each direction. Ends with its input."""

import asyncio
import sys


async def carry(reader, writer, distance):
    """Bytes arrive in their order, each as late as the distance has it, however many are on the way."""
    way = asyncio.Queue()

    async def arrive():
        while True:
            due, data = await way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    loop = asyncio.get_running_loop()
    arriving = asyncio.create_task(arrive())
    data = True
    while data:
        try:
            data = await reader.read(65536)
        except ConnectionError:
            data = b""
        way.put_nowait((loop.time() + distance, data))
    await arriving


async def relay(reader, writer, host, distance):
    try:
        far_reader, far_writer = await asyncio.open_connection(host, 22)
        await asyncio.gather(carry(reader, far_writer, distance), carry(far_reader, writer, distance))
    except OSError:
        writer.close()


async def main(port, host, distance):
    await asyncio.start_server(lambda r, w: relay(r, w, host, float(distance)), "127.0.0.1", int(port))
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
