"""A Celery worker that holds more delayed tasks than it may prefetch must still get an immediate one.

For each delayed task the worker raises its prefetch on the channel (`global`), which kombu does only where the product
is RabbitMQ of at least 3.3.
"""

import os
import sys
import threading

from celery import Celery
from celery.contrib.testing.worker import start_worker

DELAYED = 8

app = Celery("round", broker=sys.argv[1].replace("amqp://", "pyamqp://"), backend=None)
app.conf.worker_prefetch_multiplier = 4
app.conf.task_acks_late = True
app.conf.broker_connection_retry_on_startup = False

ran = []
immediate_ran = threading.Event()


@app.task
def note(name):
    ran.append(name)
    if name == "immediate":
        immediate_ran.set()


for number in range(DELAYED):
    note.apply_async((f"delayed {number}",), countdown=3600)
with start_worker(app, pool="solo", concurrency=1, perform_ping_check=False, loglevel="critical"):
    note.delay("immediate")
    immediate_ran.wait(20)
    print(f"ran {ran}", flush=True)
    # The delayed tasks would hold up an orderly end.
    os._exit(0)
