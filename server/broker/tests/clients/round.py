"""One round with pika. Says on standard output what it saw; `round.cjs` must say the same."""

import sys

import pika
from pika.exceptions import ChannelClosedByBroker, UnroutableError

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.confirm_delivery()
channel.exchange_declare("round.topic", "topic", auto_delete=True)
channel.queue_declare("round", exclusive=True, arguments={"x-max-priority": 3})
channel.queue_bind("round", "round.topic", "a.#")

headers = {"number": 2**40, "text": "ä", "list": [1, "two"], "table": {"flag": True}}
properties = pika.BasicProperties(message_id="id", headers=headers, delivery_mode=2)
channel.basic_publish("round.topic", "a.b", b"one", properties, mandatory=True)
print("confirmed")
try:
    channel.basic_publish("round.topic", "nowhere", b"two", mandatory=True)
except UnroutableError as unroutable:
    returned = unroutable.messages[0]
    print("returned", returned.method.reply_code, returned.method.reply_text, returned.body.decode())


def show(method, properties, body):
    headers = properties.headers or {}
    seen = [headers.get("number"), headers.get("text"), headers.get("list"), headers.get("table")]
    redelivered = "again" if method.redelivered else "first"
    same = seen == [2**40, "ä", [1, "two"], {"flag": True}]
    print(redelivered, body.decode(), properties.message_id, "headers", "same" if same else seen)


def consume(ch, method, properties, body):
    show(method, properties, body)
    if method.redelivered:
        ch.basic_ack(method.delivery_tag)
        ch.stop_consuming()
    else:
        ch.basic_nack(method.delivery_tag, requeue=True)


channel.basic_qos(prefetch_count=1)
channel.basic_consume("round", consume, consumer_tag="tag")
channel.start_consuming()
channel.basic_cancel("tag")

channel.basic_publish("", "round", b"x" * 300_000)
print("large", len(channel.basic_get("round", auto_ack=True)[2]))
print("empty", channel.basic_get("round", auto_ack=True)[0] is None)

for priority in (1, 3, 2):
    channel.basic_publish("", "round", str(priority).encode(), pika.BasicProperties(priority=priority))
print("priorities", " ".join(channel.basic_get("round", auto_ack=True)[2].decode() for _ in range(3)))

other = connection.channel()
try:
    other.queue_declare("round", exclusive=True)
except ChannelClosedByBroker as closed:
    print("refused", closed.reply_code)

replies = connection.channel()
answers = []


def answered(ch, method, properties, body):
    answers.append(body)
    ch.stop_consuming()


replies.basic_consume("amq.rabbitmq.reply-to", answered, auto_ack=True)
question = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to")
replies.basic_publish("", "round", b"question", question)
_, asked, _ = channel.basic_get("round", auto_ack=True)
channel.basic_publish("", asked.reply_to, b"answer")
replies.start_consuming()
print("answered", answers[0].decode())

cancelled = []
watched = connection.channel()
watched.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
watched.basic_consume("round", lambda *_: None, consumer_tag="watched")
channel.queue_delete("round")
while not cancelled:
    connection.process_data_events(time_limit=1)
print("cancelled", cancelled[0])
connection.close()
