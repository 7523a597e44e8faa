# What others' MessagePack and Protobuf make of us. Arguments: the server's address, and a file with the schema's descriptor.
# Asks for the availability, sends arrivals, and answers in JSON.
import json
import sys

import msgpack
import requests
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

url, descriptors = sys.argv[1:]
with open(descriptors, "rb") as file:
    schema = descriptor_pb2.FileDescriptorSet.FromString(file.read())
pool = descriptor_pool.DescriptorPool()
for file in schema.file:
    pool.Add(file)


def message(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("skuflow." + name))


def fields(read):
    return {field.name: value for field, value in read.ListFields()}


def ask(accept):
    answer = requests.get(
        url + "/api/choreography/inventory/skus/MUG-RED/availability", headers={"Accept": accept}, timeout=30
    )
    read = {"json": json.loads, "msgpack": msgpack.unpackb, "protobuf": lambda body: fields(message("Availability").FromString(body))}
    known_as = answer.headers["Content-Type"]
    value = read[known_as.removeprefix("application/").removeprefix("x-")](answer.content)
    return {"type": known_as, "bytes": len(answer.content), "value": value}


def send(content_type, body):
    answer = requests.post(url + "/api/arrivals", data=body, headers={"Content-Type": content_type}, timeout=30)
    return {"status": answer.status_code, "body": answer.json()}


one = {"sku": "MUG-RED", "quantity": 3, "style": "both"}
two = {"sku": "NEW-BLUE", "quantity": 4, "style": "choreography", "dispatch": "queues"}
Arrival, Arrivals = message("Arrival"), message("Arrivals")
answers = [ask(accept) for accept in ("application/json", "application/msgpack", "application/x-protobuf")]
accepted = [
    send("application/msgpack", msgpack.packb(one)),
    send("application/x-msgpack", msgpack.packb([one, two])),
    send("application/protobuf", Arrival(**one).SerializeToString()),
    send("application/protobuf", Arrivals(arrivals=[Arrival(**one), Arrival(**two)]).SerializeToString()),
]
print(json.dumps({"answers": answers, "accepted": accepted}))
