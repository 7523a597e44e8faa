"""An SMTP server that is not ours: aiosmtpd. Use: smtp_server.py PLAIN|UTF8|COLD|PASSWORD|STARTTLS|TLS [CERT KEY].

Says the port that it took, then each message as a line of JSON. With TLS or
PASSWORD it wants user `me` and password `s@crit`. UTF8 announces SMTPUTF8. COLD refuses the first three that say hello.

It refuses whoever is called `refused`, puts off whoever is called `later` once and whoever is called `never` always, and
hangs up when it hears of `gone`. After the final dot it hangs up when it is for `cut`, and never answers for `hang`.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self):
        self.put_off = set()
        self.greeted = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.greeted += 1
        if mode == "COLD" and self.greeted <= 3:
            return ["421 4.3.2 not open yet"]
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.rsplit("@", 1)[0]
        if name == "refused":
            return "550 5.1.1 nobody of that name"
        if name == "never":
            return "451 4.7.1 not today"
        if name == "gone":
            server.transport.abort()
            await asyncio.Event().wait()
        if name == "later" and address not in self.put_off:
            self.put_off.add(address)
            return "450 4.2.0 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "source": envelope.content.decode("utf-8"),
            "options": envelope.mail_options,
            # Of a connection that began with TLS aiosmtpd knows nothing; there is no other way in then.
            "tls": session.ssl is not None or mode == "TLS",
            "user": (session.auth_data.login.decode() if session.auth_data else None),
        }
        print(json.dumps(told), flush=True)
        name = envelope.rcpt_tos[0].rsplit("@", 1)[0]
        if name == "cut":
            server.transport.abort()
        if name in ("cut", "hang"):
            await asyncio.Event().wait()
        return "250 taken"


def authenticate(server, session, envelope, mechanism, auth_data):
    fits = (auth_data.login, auth_data.password) == (b"me", b"s@crit")
    return AuthResult(success=fits, handled=False, auth_data=auth_data)


mode = sys.argv[1]
is_plain = mode not in ("STARTTLS", "TLS")
context = None
if not is_plain:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
keeper = Keeper()


def session():
    if mode == "PASSWORD":
        return SMTP(keeper, authenticator=authenticate, auth_required=True, auth_require_tls=False)
    if is_plain:
        return SMTP(keeper, enable_SMTPUTF8=mode == "UTF8")
    starttls = {"tls_context": context, "require_starttls": True} if mode == "STARTTLS" else {}
    return SMTP(keeper, authenticator=authenticate, auth_required=True, auth_require_tls=mode == "STARTTLS", **starttls)


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if mode == "TLS" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
