"""A stranger with libzmq: subscribes or pulls, or says what nobody should, and tells in JSON lines what it got."""

import json
import sys

import zmq

context = zmq.Context()


def hear(socket, count):
    """Tells the frames of so many messages, without heartbeats."""
    while count > 0:
        frames = socket.recv_multipart()
        if frames[0] == b"heartbeat":
            print(json.dumps({"heartbeat": json.loads(frames[1])}), flush=True)
            continue
        topic, headers, body = frames
        print(json.dumps({
            "topic": topic.decode(), "headers": json.loads(headers), "body": json.loads(body),
        }), flush=True)
        count -= 1


def subscribe(endpoint, topic, count):
    socket = context.socket(zmq.SUB)
    socket.connect(endpoint)
    socket.subscribe(topic)
    socket.subscribe("heartbeat")
    # Who hears a heartbeat is subscribed.
    print(json.dumps({"connected": True}), flush=True)
    hear(socket, int(count))


def pull(endpoint, count):
    socket = context.socket(zmq.PULL)
    socket.connect(endpoint)
    print(json.dumps({"connected": True}), flush=True)
    hear(socket, int(count))


def intrude(endpoint):
    """Says to a ROUTER socket what only a service may, and what nobody does."""
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, b"catalog")
    socket.connect(endpoint)
    for frames in ([b"hello"], [b"ack", b"x"], [b""], [b"a"] * 9, [b"ack", b"\xff" * 60_000]):
        socket.send_multipart(frames)
    print(json.dumps({"said": True}), flush=True)
    # Nobody answers.
    print(json.dumps({"answered": socket.poll(500) != 0}), flush=True)


def beat(endpoint, count):
    """Subscribes with heartbeats of its own, and gives the connection up where they are not answered; tells how often after so
    many heartbeats of the other side."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 50)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 400)
    monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    socket.connect(endpoint)
    socket.subscribe("heartbeat")
    print(json.dumps({"connected": True}), flush=True)
    hear_beats = int(count)
    while hear_beats > 0:
        frames = socket.recv_multipart()
        hear_beats -= json.loads(frames[1])["topic"] == "sku_processed"
    disconnected = 0
    while monitor.poll(0):
        monitor.recv_multipart()
        disconnected += 1
    print(json.dumps({"disconnected": disconnected}), flush=True)


def main():
    word, *rest = sys.argv[1:]
    {"subscribe": subscribe, "pull": pull, "intrude": intrude, "beat": beat}[word](*rest)


main()
