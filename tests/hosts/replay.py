#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers of an HA primary where they do not belong; each must be refused. TAP lines without numbers.

usage: replay.py EXAMPLE SLOT REMOTE    EXAMPLE: tools/examples/ha-service.py
"""
import importlib.util
import sys

spec = importlib.util.spec_from_file_location("ha_service", sys.argv[1])
ha = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ha)

CKR_ENCRYPTED_DATA_INVALID, CKR_OPERATION_NOT_INITIALIZED, CKR_DATA_INVALID = 0x40, 0x91, 0x20


def refused(name, rv, function, *arguments):
    try:
        function(*arguments)
    except ha.Refused as why:
        good = str(why).endswith(f": 0x{rv:x}")
        print(f"{'' if good else 'not '}ok - {name}: {why}")
    else:
        print(f"not ok - {name}: not refused")


token, primary = ha.Token(int(sys.argv[2])), ha.Primary(sys.argv[3])
twc = primary.blob(ha.MASTER_PUBLIC)
old = primary.blob(ha.ANSWER, token.challenge(twc))
challenge = token.challenge(twc)
refused("an answer to the challenge before", CKR_ENCRYPTED_DATA_INVALID, token.login, old)
answer = primary.blob(ha.ANSWER, challenge)
damaged = answer[:50] + bytes([answer[50] ^ 1]) + answer[51:]
refused("an answer that was altered", CKR_ENCRYPTED_DATA_INVALID, token.login, damaged)
refused("a challenge that was altered", CKR_DATA_INVALID, primary.blob, ha.ANSWER,
        challenge[:70] + bytes([challenge[70] ^ 1]) + challenge[71:])
token.login(answer)
print("ok - the answer itself logs in")
token.call("C_Logout", token.session)
refused("an answer a second time", CKR_OPERATION_NOT_INITIALIZED, token.login, answer)
primary.close()
