"""An FTP server that is not ours: pyftpdlib. Says the port that it took.

With a certificate it wants TLS on both connections. It can do without some commands, and refuse to rename a file onto
another. What it is asked stands in its log.
"""

import argparse
import logging
import os

from pyftpdlib import filesystems, handlers
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.servers import FTPServer

options = argparse.ArgumentParser()
options.add_argument("folder")
options.add_argument("log")
options.add_argument("--tls")
options.add_argument("--without", default="")
options.add_argument("--keep", action="store_true")
options = options.parse_args()


class Keeping(filesystems.AbstractedFS):
    """Never overwrites by a rename."""

    def rename(self, src, dst):
        if os.path.exists(dst):
            raise filesystems.FilesystemError("there is such a file")
        super().rename(src, dst)


logging.basicConfig(filename=options.log, level=logging.DEBUG)
authorizer = DummyAuthorizer()
authorizer.add_user("them", "s@crit", options.folder, perm="elradfmwMT")
Handler = handlers.FTPHandler
if options.tls:
    Handler = handlers.TLS_FTPHandler
    Handler.certfile = options.tls
    Handler.tls_control_required = True
    Handler.tls_data_required = True
if options.keep:
    Handler.abstracted_fs = Keeping
Handler.proto_cmds = {name: cmd for name, cmd in Handler.proto_cmds.items() if name not in options.without.split(",")}
Handler.authorizer = authorizer
server = FTPServer(("127.0.0.1", 0), Handler)
print(server.address[1], flush=True)
server.serve_forever(handle_exit=False)
