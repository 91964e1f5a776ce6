"""Prints `count` payloads as they stand on the wire, each as one line of JSON text, and refuses what is not JSON."""

import json
import select
import sys
import time

import psycopg2
import psycopg2.extensions

url, channel, count, manner = sys.argv[1:]
connection = psycopg2.connect(url)
connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
cursor = connection.cursor()
cursor.execute(f"LISTEN {psycopg2.extensions.quote_ident(channel, cursor)}")
print("listening", file=sys.stderr, flush=True)

heard = 0
while heard < int(count):
    if manner == "select":
        select.select([connection], [], [], 5)
    else:
        time.sleep(0.01)
    connection.poll()
    while connection.notifies:
        payload = connection.notifies.pop(0).payload
        json.loads(payload)
        print(json.dumps(payload), flush=True)
        heard += 1
connection.close()
