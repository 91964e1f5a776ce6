"""Notifies of each message of a JSON array from standard input, as an older service does."""

import json
import sys

import psycopg2

url, channel, manner = sys.argv[1:]
messages = json.load(sys.stdin)
connection = psycopg2.connect(url)
if manner == "autocommit":
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
with connection, connection.cursor() as cursor:
    for index, message in enumerate(messages):
        # With every character outside ASCII as an escape, which is the default, and without.
        text = json.dumps(message, ensure_ascii=index % 2 == 0)
        if manner == "statement":
            name = psycopg2.extensions.quote_ident(channel, cursor)
            cursor.execute(f"NOTIFY {name}, %s", (text,))
        else:
            cursor.execute("SELECT pg_notify(%s, %s)", (channel, text))
connection.close()
