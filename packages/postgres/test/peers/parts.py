"""A peer of long messages and of channels with long names, written from docs/wire-format.md and nothing else.

`read` prints the text of `count` messages, each as one line of JSON; `write` publishes a JSON array from standard input.
"""

import base64
import hashlib
import json
import secrets
import select
import sys

import psycopg2
import psycopg2.extensions

BEGINNING = '{"$ps.part":'


def physical(channel):
    if len(channel.encode()) <= 63:
        return channel
    return "$ps." + base64.urlsafe_b64encode(hashlib.sha256(channel.encode()).digest()).decode().rstrip("=")


def write(connection, channel, messages):
    for message in messages:
        text = json.dumps(message, ensure_ascii=False)
        if text.startswith(BEGINNING):
            text = "{ " + text[1:]
        data = text.encode()
        slices = [data[at : at + 5000] for at in range(0, len(data), 5000)]
        identity = secrets.token_hex(6)
        # One transaction for each message.
        with connection, connection.cursor() as cursor:
            if len(data) <= 7999:
                cursor.execute("SELECT pg_notify(%s, %s)", (channel, text))
                continue
            for number, piece in enumerate(slices):
                part = json.dumps([identity, number, len(slices)], separators=(",", ":"))
                encoded = base64.b64encode(piece).decode()
                cursor.execute("SELECT pg_notify(%s, %s)", (channel, f'{BEGINNING}{part},"data":"{encoded}"}}'))


def read(connection, channel, count):
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    cursor = connection.cursor()
    cursor.execute(f"LISTEN {psycopg2.extensions.quote_ident(channel, cursor)}")
    print("listening", file=sys.stderr, flush=True)
    unfinished = b""
    while count > 0:
        select.select([connection], [], [], 5)
        connection.poll()
        while connection.notifies:
            payload = connection.notifies.pop(0).payload.rstrip(" \t\n\r")
            if payload.startswith(BEGINNING):
                part = json.loads(payload)
                _, number, total = part["$ps.part"]
                unfinished = (b"" if number == 0 else unfinished) + base64.b64decode(part["data"])
                if number + 1 < total:
                    continue
                payload = unfinished.decode()
            print(json.dumps(json.loads(payload), ensure_ascii=False), flush=True)
            count -= 1


manner, url, name = sys.argv[1:4]
session = psycopg2.connect(url)
if manner == "write":
    write(session, physical(name), json.load(sys.stdin))
else:
    read(session, physical(name), int(sys.argv[4]))
session.close()
