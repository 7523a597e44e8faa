"""A client that reads only when it has sent all: requests. Use: post_lines.py URL LINES bytes|generator.

Sends so many lines, of which every thousandth is an arrival of one piece, and says how many results came: of all, of
arrivals, and the last one's line.
"""

import json
import sys

import requests

url, count, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
lines = [
    json.dumps({"sku": "LATE", "quantity": 0 if n % 1000 else 1, "style": "choreography"}).encode() + b"\n"
    for n in range(count)
]
body = b"".join(lines) if how == "bytes" else (b"".join(lines[n : n + 10]) for n in range(0, count, 10))
session = requests.Session()
session.trust_env = False
answer = session.post(url, data=body, headers={"content-type": "application/x-ndjson"}, timeout=300)
results = [json.loads(line) for line in answer.content.splitlines()]
print(answer.status_code, len(results), sum("arrivals" in result for result in results), results[-1]["line"])
