"""An FTP server that is not ours: pyftpdlib. Use: ftp_server.py FOLDER [CERT_AND_KEY]. Says the port that it took.

With a certificate it wants TLS on both connections.
"""

import sys

from pyftpdlib import handlers
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.servers import FTPServer

authorizer = DummyAuthorizer()
authorizer.add_user("them", "s@crit", sys.argv[1], perm="elradfmwMT")
Handler = handlers.FTPHandler
if len(sys.argv) > 2:
    Handler = handlers.TLS_FTPHandler
    Handler.certfile = sys.argv[2]
    Handler.tls_control_required = True
    Handler.tls_data_required = True
Handler.authorizer = authorizer
server = FTPServer(("127.0.0.1", 0), Handler)
print(server.address[1], flush=True)
server.serve_forever(handle_exit=False)
