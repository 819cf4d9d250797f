"""Clients in Python that are connected over TLS and do nothing: peers of an idle agent in `make bench`.

    idle.py paho PORT CA                     a client of mosquitto, with paho-mqtt
    idle.py websockets PORT CA               a client of `serve`, with websockets
    idle.py serve PORT CERTIFICATE KEY       who the latter is connected to

Each is as the library's own first example has it. Prints "ready" once it is connected, or listens, and stays until it
is ended.
"""

import asyncio
import logging
import ssl
import sys


def ready():
    print("ready", flush=True)


def paho(port, ca):
    import paho.mqtt.client as mqtt

    # Version 2 of the library wants to be told which callbacks are meant.
    version = getattr(mqtt, "CallbackAPIVersion", None)
    client = mqtt.Client(version.VERSION1) if version else mqtt.Client()
    client.on_connect = lambda *_: ready()
    client.tls_set(ca)
    client.connect("127.0.0.1", int(port), 60)
    client.loop_forever()


async def websockets_client(port, ca):
    import websockets

    trust = ssl.create_default_context(cafile=ca)
    async with websockets.connect(f"wss://127.0.0.1:{port}", ssl=trust) as socket:
        ready()
        async for _ in socket:
            pass


async def websockets_server(port, certificate, key):
    import websockets

    # How its clients end is no news here.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate, key)

    async def listen(socket, *_):
        async for _ in socket:
            pass

    async with websockets.serve(listen, "127.0.0.1", int(port), ssl=identity):
        ready()
        await asyncio.Future()


match sys.argv[1:]:
    case ["paho", port, ca]:
        paho(port, ca)
    case ["websockets", port, ca]:
        asyncio.run(websockets_client(port, ca))
    case ["serve", port, certificate, key]:
        asyncio.run(websockets_server(port, certificate, key))
    case _:
        sys.exit(__doc__)
