"""Publishes each message of a JSON array from standard input, as an older service does."""

import json
import sys

import redis

url, channel = sys.argv[1:]
client = redis.Redis.from_url(url)
for index, message in enumerate(json.load(sys.stdin)):
    # With every character outside ASCII as an escape, which is the default, and without.
    client.publish(channel, json.dumps(message, ensure_ascii=index % 2 == 0))
