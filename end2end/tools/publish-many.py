"""Publishes to `sku_processed` as a stranger does: with a body and nothing else, or with a message id too.

Use: publish-many.py AMQP_URL COUNT named|nameless
"""

import sys
import uuid

import pika

# All the same: nothing tells one from the other.
BODY = b'{"sku":"BENCH-1"}'

url, count, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
for _ in range(count):
    properties = pika.BasicProperties(message_id=str(uuid.uuid4())) if kind == "named" else None
    channel.basic_publish("sku_processed", "", BODY, properties)
# Answered when the broker has read all of them.
channel.queue_declare("catalog.sku_processed", passive=True)
connection.close()
