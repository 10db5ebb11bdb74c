#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Standard input and output to a socket: for lunactl --remote, what ssh is to a host with a network.

usage: peer-pipe.py SOCKET
"""
import os
import selectors
import socket
import sys

peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
selector = selectors.DefaultSelector()
selector.register(0, selectors.EVENT_READ)
selector.register(peer, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        data = os.read(key.fd, 65536)
        if not data:
            sys.exit(0)
        if key.fd == 0:
            peer.sendall(data)
        else:
            while data:
                data = data[os.write(1, data):]
