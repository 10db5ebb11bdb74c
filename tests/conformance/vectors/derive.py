#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints derive.txt: derivations by hashlib, hmac and cryptography, beside published answers.

Usage: derive.py > derive.txt; needs the package python3-cryptography.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives import cmac, hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf import hkdf, kbkdf

HEAD = """\
# SPDX-License-Identifier: MIT
#
# Blocks of "key = value" between blank lines; # begins a comment. Values are hex but for mechanism,
# name, type (of the derived key, GENERIC_SECRET if it is missing), prf and hash, which are words, and
# bit, iterations, counter, scheme, len (CKA_VALUE_LEN, none if it is missing), which are decimal.
# steps: E: extract, X: expand. fields: the data of SP 800-108's function, I: iteration variable,
# C: counter, L: length (S: of segments), each with its bits, "<" behind if the low byte comes first;
# =: bytes.
#
# Printed by derive.py. With a name: published answers, which it checks. Others are by Python's
# integers, hashlib, hmac and cryptography.
"""
KEY = bytes(range(32))
HASHES = {'SHA_1': 'sha1', 'SHA224': 'sha224', 'SHA256': 'sha256', 'SHA384': 'sha384',
          'SHA512': 'sha512', 'SHA3_224': 'sha3_224', 'SHA3_256': 'sha3_256',
          'SHA3_384': 'sha3_384', 'SHA3_512': 'sha3_512'}


def vector(mechanism, result, **fields):
    print('\nmechanism = CKM_' + mechanism)
    for name, value in fields.items():
        print(f'{name} = {value.hex() if isinstance(value, bytes) else value}')
    print('result =', result.hex())


def same(got, published):
    assert got.hex() == published, got.hex()
    return got


# ---- concatenation, XOR, extraction ----

def extract(key, bit, length):
    bits = 8 * len(key)
    twice = int.from_bytes(key + key, 'big')
    return (twice >> (2 * bits - bit - 8 * length) & ((1 << 8 * length) - 1)).to_bytes(length, 'big')


def simple():
    example = bytes.fromhex('329f84a9')
    vector('EXTRACT_KEY_FROM_KEY', same(extract(example, 21, 2), '9526'),
           name='PKCS11-2.43.7', key=example, bit=21, len=2)
    for bit, length in ((0, 32), (255, 32), (8, 1), (7, 31), (130, 16)):
        vector('EXTRACT_KEY_FROM_KEY', extract(KEY, bit, length), key=KEY, bit=bit, len=length)
    key, data = bytes.fromhex('0123456789abcdef'), bytes.fromhex('fedc')
    vector('CONCATENATE_BASE_AND_DATA', key + data, key=key, data=data)
    vector('CONCATENATE_BASE_AND_DATA', (key + data)[:9], key=key, data=data, len=9)
    vector('CONCATENATE_DATA_AND_BASE', data + key, key=key, data=data)
    vector('CONCATENATE_DATA_AND_BASE', (data + key)[:3], key=key, data=data, len=3)
    vector('CONCATENATE_BASE_AND_KEY', key + data, key=key, key2=data)
    vector('CONCATENATE_BASE_AND_KEY', KEY, key=KEY, key2=data, len=32, type='AES')
    vector('XOR_BASE_AND_DATA', bytes.fromhex('fedc456786a4c2e0'), key=key,
           data=bytes.fromhex('ffff00000f0f0f0f'))
    vector('XOR_BASE_AND_DATA', bytes.fromhex('fedc'), key=key, data=b'\xff\xff')
    vector('XOR_BASE_AND_DATA', bytes(b ^ 1 for b in KEY[:24]), key=KEY, data=b'\1' * 40, len=24,
           type='AES')


# ---- hashes, encryption ----

def digests(words):
    for word in words:
        name = HASHES[word]
        word = 'SHA1' if word == 'SHA_1' else word
        for key, length in ((b'abc', None), (bytes(4096), 1)):
            more = {'len': length} if length else {}
            vector(f'{word}_KEY_DERIVATION', hashlib.new(name, key).digest()[:length], key=key, **more)
        vector(f'{word}_KEY_DERIVATION', hashlib.new(name, KEY).digest()[:16], key=KEY, len=16,
               type='AES')


def aes(key, mode, data):
    return Cipher(algorithms.AES(key), mode).encryptor().update(data)


def encryption():
    block = bytes.fromhex('00112233445566778899aabbccddeeff')
    fips197 = {16: '69c4e0d86a7b0430d8cdb78070b4c55a', 24: 'dda97ca4864cdfe06eaf70a0ec0d7191',
               32: '8ea2b7ca516745bfeafc49904b496089'}
    for size, published in fips197.items():
        vector('AES_ECB_ENCRYPT_DATA', same(aes(KEY[:size], modes.ECB(), block), published),
               name='FIPS-197-C', key=KEY[:size], data=block)
    data = bytes.fromhex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51')
    vector('AES_ECB_ENCRYPT_DATA', aes(KEY, modes.ECB(), data)[:24], key=KEY, data=data, len=24,
           type='AES')
    key, iv = bytes.fromhex('2b7e151628aed2a6abf7158809cf4f3c'), KEY[:16]
    result = same(aes(key, modes.CBC(iv), data),
                  '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2')
    vector('AES_CBC_ENCRYPT_DATA', result, name='SP-800-38A-F.2.1', key=key, iv=iv, data=data)
    vector('AES_CBC_ENCRYPT_DATA', result, key=key, iv=iv, data=data, len=32, type='AES')
    vector('AES_CBC_ENCRYPT_DATA', aes(KEY, modes.CBC(iv), data)[:5], key=KEY, iv=iv, data=data, len=5)


# ---- PBKDF2 ----

def pbkdf2(prf, password, salt, iterations, length, published=None, name=None):
    result = hashlib.pbkdf2_hmac(HASHES[prf], password, salt, iterations, length)
    if published:
        same(result, published)
    named = {'name': name} if name else {}
    vector('PKCS5_PBKD2', result, **named, prf=prf, password=password, salt=salt,
           iterations=iterations, len=length)


def passwords(words):
    rfc = 'RFC-6070'
    pbkdf2('SHA_1', b'password', b'salt', 1, 20, '0c60c80f961f0e71f3a9b524af6012062fe037a6', rfc)
    pbkdf2('SHA_1', b'password', b'salt', 2, 20, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957', rfc)
    pbkdf2('SHA_1', b'password', b'salt', 4096, 20, '4b007901b765489abead49d926f721d065a429c1', rfc)
    pbkdf2('SHA_1', b'passwordPASSWORDpassword', b'saltSALTsaltSALTsaltSALTsaltSALTsalt', 4096, 25,
           '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038', rfc)
    pbkdf2('SHA_1', b'pass\0word', b'sa\0lt', 4096, 16, '56fa6aa75548099dcc37d7f03425e0c3', rfc)
    pbkdf2('SHA256', b'passwd', b'salt', 1, 64, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57'
           'c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783', 'RFC-7914')
    for word in words:
        pbkdf2(word, b'a password that is longer than a block of its hash: ' + bytes(120), KEY, 3, 100)
        pbkdf2(word, b'', b'', 1, 32)


# ---- HKDF ----

def hash_of(word):
    return {'SHA_1': hashes.SHA1, 'SHA224': hashes.SHA224, 'SHA256': hashes.SHA256,
            'SHA384': hashes.SHA384, 'SHA512': hashes.SHA512, 'SHA3_224': hashes.SHA3_224,
            'SHA3_256': hashes.SHA3_256, 'SHA3_384': hashes.SHA3_384,
            'SHA3_512': hashes.SHA3_512}[word]()


def hkdf_both(word, key, salt, info, length, published=None, mechanism='HKDF_DERIVE', how='salt'):
    result = hkdf.HKDF(hash_of(word), length, salt or None, info).derive(key)
    named = {}
    if published:
        same(result, published)
        named = {'name': 'RFC-5869'}
    if salt:
        named[how] = salt
    vector(mechanism, result, **named, hash=word, steps='EX', key=key, info=info, len=length)


def hkdfs(words):
    ikm, salt = b'\x0b' * 22, bytes(range(13))
    info = bytes(range(0xf0, 0xfa))
    hkdf_both('SHA256', ikm, salt, info, 42, '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56'
              'ecc4c5bf34007208d5b887185865')
    hkdf_both('SHA256', bytes(range(80)), bytes(range(0x60, 0xb0)), bytes(range(0xb0, 0x100)), 82,
              'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6'
              '5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87')
    hkdf_both('SHA256', ikm, b'', b'', 42, '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c73'
              '8d2d9d201395faa4b61a96c8')
    for word in words:
        hkdf_both(word, KEY, b'', b'', 1)
        hkdf_both(word, KEY, b'a salt key', bytes(300), 200, how='saltkey')
        prk = hmac.new(b'salt', KEY, HASHES[word]).digest()
        vector('HKDF_DERIVE', prk, hash=word, steps='E', key=KEY, salt=b'salt', info=b'no matter')
        vector('HKDF_DERIVE', hkdf.HKDFExpand(hash_of(word), 77, b'about').derive(KEY), hash=word,
               steps='X', key=KEY, info=b'about', len=77)
    hkdf_both('SHA256', KEY, b'salt', b'data, not a key', 50, mechanism='HKDF_DATA')


# ---- SP 800-108 ----

def mac(prf, key, message):
    if prf != 'AES_CMAC':
        return hmac.new(key, message, HASHES[prf]).digest()
    c = cmac.CMAC(algorithms.AES(key))
    c.update(message)
    return c.finalize()


def number(field, value):
    width = int(field.strip('ICLS<')) // 8
    return value.to_bytes(width, 'little' if field.endswith('<') else 'big')


def sp800_108(mode, prf, key, fields, length, iv=b''):
    words, out, i = fields.split(), b'', 0
    size = len(mac(prf, KEY[:16], b''))

    def message(i, varying):
        m = b''
        for w in words:
            if w.startswith('='):
                m += bytes.fromhex(w[1:])
            elif w[0] in 'LS':
                m += number(w, 8 * (length if w[0] == 'L' else -(-length // size) * size))
            elif varying is not None:
                m += varying if w == 'I' else number(w, i)
        return m

    previous = iv if mode == 'FEEDBACK' else message(0, None)
    while len(out) < length:
        i += 1
        if mode == 'DOUBLE_PIPELINE':
            previous = mac(prf, key, previous)
        block = mac(prf, key, message(i, previous))
        if mode == 'FEEDBACK':
            previous = block
        out += block
    return out[:length]


def prf_vector(mode, prf, fields, length, key=KEY, iv=b''):
    result = sp800_108(mode, prf, key, fields, length, iv)
    more = {'iv': iv} if iv else {}
    vector(f'SP800_108_{mode}_KDF', result, prf=prf, key=key, fields=fields, **more, len=length)
    return result


def check_counter(prf, result, key, length, label, context):
    """Counter, label, zero, context, length as cryptography has it."""
    args = dict(mode=kbkdf.Mode.CounterMode, length=length, rlen=4, llen=4,
                location=kbkdf.CounterLocation.BeforeFixed, label=label, context=context, fixed=None)
    if prf == 'AES_CMAC':
        other = kbkdf.KBKDFCMAC(algorithms.AES, **args)
    else:
        other = kbkdf.KBKDFHMAC(hash_of(prf), **args)
    assert other.derive(key) == result


def prfs(words):
    label, context = b'label', b'the context'
    usual = f'I32 ={label.hex()} =00 ={context.hex()} L32'
    for word in words + ['AES_CMAC']:
        for length in (16, 100):
            result = prf_vector('COUNTER', word, usual, length)
            check_counter(word, result, KEY, length, label, context)
    for prf in ('SHA256', 'SHA512', 'AES_CMAC'):
        prf_vector('COUNTER', prf, f'={label.hex()} I8 =00 ={context.hex()}', 70)
        prf_vector('COUNTER', prf, f'={context.hex()} S16< I24<', 33)
        prf_vector('COUNTER', prf, 'I16 L64', 4096)
        prf_vector('FEEDBACK', prf, f'I ={label.hex()} L32', 90)
        prf_vector('FEEDBACK', prf, f'I C8 ={label.hex()} L32', 90, iv=KEY[:20])
        prf_vector('DOUBLE_PIPELINE', prf, f'I ={label.hex()} L32', 90)
        prf_vector('DOUBLE_PIPELINE', prf, f'C32< ={label.hex()} I S16<', 31)


# ---- the vendor's ----

def vendor(scheme, prf, counter, label, context, length, mechanism='PRF_KDF'):
    out, i, bits = b'', counter, 8 * length
    while len(out) < length:
        wide, narrow = i.to_bytes(4, 'big'), (i & 255).to_bytes(1, 'big')
        long, short = bits.to_bytes(4, 'big'), bits.to_bytes(2, 'big')
        out += mac(prf, KEY, [wide + context + b'\0' + label + long, wide + context + label,
                              wide + label + b'\0' + context + long, wide + label + context,
                              label + b'\0' + short + narrow + context,
                              narrow + label + b'\0' + context + short][scheme])
        i += 1
    vector(mechanism, out[:length], scheme=scheme, prf=prf, counter=counter, key=KEY, label=label,
           context=context, len=length)


def vendors(words):
    for scheme in range(6):
        vendor(scheme, 'AES_CMAC', 1, bytes(11) + b'\4', b'sixteen or more bytes', 32)
        vendor(scheme, 'SHA256', 7, b'label', b'', 48)
    for word in words:
        vendor(0, word, 0, b'', b'context', 80)
        vendor(2, word, 1, b'label', b'context', 20, 'NIST_PRF_KDF')


SHA2 = ['SHA_1', 'SHA224', 'SHA256', 'SHA384', 'SHA512']
ALL = SHA2 + ['SHA3_224', 'SHA3_256', 'SHA3_384', 'SHA3_512']

print(HEAD, end='')
simple()
digests(ALL)
encryption()
passwords(SHA2)
hkdfs(ALL)
prfs(ALL)
vendors(ALL)
