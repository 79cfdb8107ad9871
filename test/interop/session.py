"""One session of nats.py with a server, driven by nats-py.test.ts: credentials come as JSON in the first argument, the session's name in the
second. Prints `ok` at its end; any failure is an exception and an exit code."""

import asyncio
import json
import ssl
import sys

import nats
from nats.errors import NoRespondersError


def options_of(given):
    options = {"servers": [given["url"]], "allow_reconnect": given.get("reconnect", False), "connect_timeout": 3}
    options["reconnect_time_wait"] = 0.05
    options["max_reconnect_attempts"] = -1 if given.get("reconnect") else 1
    for theirs, ours in (("user", "user"), ("pass", "password"), ("token", "token")):
        if theirs in given:
            options[ours] = given[theirs]
    if "seed" in given:
        options["nkeys_seed_str"] = given["seed"]
    if "tls" in given:
        context = ssl.create_default_context(cafile=given["tls"]["ca"])
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if "cert" in given["tls"]:
            context.load_cert_chain(given["tls"]["cert"], given["tls"]["key"])
        options["tls"] = context
        options["tls_hostname"] = "localhost"
    return options


async def connect_only(given):
    client = await nats.connect(**options_of(given))
    await client.flush()
    await client.close()


async def messages(given):
    client = await nats.connect(**options_of(given))
    plain = await client.subscribe("news.*")
    members = [await client.subscribe("work", queue="workers") for _ in range(2)]
    await client.flush()
    for index in range(100):
        await client.publish(f"news.{index % 5}", str(index).encode(), headers={"Index": str(index)})
        await client.publish("work", b"")
    await client.flush()
    for index in range(100):
        message = await plain.next_msg(timeout=2)
        assert message.data == str(index).encode(), message
        assert message.headers["Index"] == str(index), message.headers
    assert sum(member.pending_msgs for member in members) == 100
    await client.close()


async def requests(given):
    client = await nats.connect(**options_of(given))

    async def double(message):
        await message.respond(message.data * 2)

    await client.subscribe("double", cb=double)
    answer = await client.request("double", b"ab", timeout=2)
    assert answer.data == b"abab", answer
    try:
        await client.request("nobody", b"", timeout=2)
        raise AssertionError("somebody answered")
    except NoRespondersError:
        pass
    await client.close()


async def drain(given):
    client = await nats.connect(**options_of(given))
    seen = []

    async def note(message):
        seen.append(message.data)

    await client.subscribe("drained", cb=note)
    for index in range(500):
        await client.publish("drained", str(index).encode())
    await client.drain()
    assert len(seen) == 500, len(seen)
    assert client.is_closed


async def reconnect(given):
    """Says `connected`, and expects the server to be replaced by another on the same port."""
    back = asyncio.Event()

    async def on_reconnect():
        back.set()

    client = await nats.connect(**options_of({**given, "reconnect": True}), reconnected_cb=on_reconnect)
    kept = await client.subscribe("kept")
    await client.flush()
    print("connected", flush=True)
    await asyncio.wait_for(back.wait(), 10)
    await client.publish("kept", b"still")
    assert (await kept.next_msg(timeout=2)).data == b"still"
    await client.close()


async def jetstream(given):
    client = await nats.connect(**options_of(given))
    js = client.jetstream()
    await js.add_stream(name="ORDERS", subjects=["orders.*"])
    for index in range(20):
        ack = await js.publish("orders.new", str(index).encode())
        assert ack.seq == index + 1, ack
    consumer = await js.pull_subscribe("orders.new", "worker")
    got = []
    while len(got) < 20:
        for message in await consumer.fetch(10, timeout=2):
            got.append(int(message.data))
            await message.ack()
    assert got == list(range(20)), got
    await js.delete_stream("ORDERS")
    await client.close()


sessions = {
    "connect": connect_only,
    "messages": messages,
    "requests": requests,
    "drain": drain,
    "reconnect": reconnect,
    "jetstream": jetstream,
}

asyncio.run(asyncio.wait_for(sessions[sys.argv[2]](json.loads(sys.argv[1])), 20))
print("ok", flush=True)
