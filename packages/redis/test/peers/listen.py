"""Prints `count` payloads as they stand on the wire, each as one line of JSON text, and refuses what is not JSON."""

import json
import sys
import time

import redis

url, channel, count, manner = sys.argv[1:]
client = redis.Redis.from_url(url, decode_responses=True)
pubsub = client.pubsub()
pubsub.subscribe(channel)


def poll():
    """As a service does that has other things to do as well."""
    while True:
        event = pubsub.get_message(timeout=0.1)
        if event is None:
            time.sleep(0.001)
        else:
            yield event


events = pubsub.listen() if manner == "listen" else poll()
for event in events:
    if event["type"] == "subscribe":
        print("listening", file=sys.stderr, flush=True)
    elif event["type"] == "message":
        json.loads(event["data"])
        print(json.dumps(event["data"]), flush=True)
        count = int(count) - 1
        if count == 0:
            break
