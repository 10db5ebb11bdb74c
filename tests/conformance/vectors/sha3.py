#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the vectors of SHA-3: by Python's hashlib, hmac and cryptography, and by openssl.

Usage: sha3.py digest|hmac|rsa|ec > sha3-digest.txt (and so on), sha3.py shake > shake.txt; needs cryptography 43 or newer. The
salts of PSS and what OAEP draws are others in the next run.
"""
import hashlib
import hmac
import os
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.kdf import concatkdf, x963kdf

HEAD = """\
# SPDX-License-Identifier: MIT
#
# Blocks of "key = value" between blank lines; # begins a comment. Values are hex but for mechanism,
# name and names of keys and hashes, which are words, and repeat and salt, which are decimal.
#
# Printed by sha3.py {part}: {how}
"""
HOW = {
    'digest': """with Python's hashlib. The empty message, "abc", the messages of 448
# and 896 bits and a million "a" of FIPS 202's examples (those that are at hand compared: they are the
# same); the rest: bytes 0, 1, 2, ... at the lengths about the end of a block and of two.""",
    'shake': """with Python's hashlib: as many bytes as the result has. The
# empty message's first 32 are those of FIPS 202's examples; the data are bytes 0, 1, 2, ... at the
# lengths about the end of a block, and so are the lengths of the results.""",
    'hmac': """with Python's hmac. Key and data are those of RFC 4231 section 4, and
# those of NIST's examples of HMAC-SHA3: keys shorter, as long as, longer than a block.""",
    'rsa': """with Python's cryptography, OAEP with openssl pkeyutl. The keys are
# those of rsa.txt. hash and mgf are "SHA3_224" to "SHA3_512"; with "_VENDOR" behind it the
# number of the mask's function is the vendor's. salt is its length.""",
    'ec': """with Python's cryptography, with the nonces of RFC 6979. The keys are those
# of ec.txt. Derivations: kdf is a hash of X9.63's function, or with "_SP800" of SP 800-56A's.""",
}
BITS = (224, 256, 384, 512)
HERE = os.path.dirname(os.path.abspath(__file__))


def name_of(bits):
    return f'sha3_{bits}'


def block_of(bits):
    return 200 - bits // 4


def hash_of(bits):
    return {224: hashes.SHA3_224, 256: hashes.SHA3_256, 384: hashes.SHA3_384,
            512: hashes.SHA3_512}[bits]()


def vector(mechanism, result, **fields):
    print('\nmechanism = CKM_' + mechanism)
    for name, value in fields.items():
        print(f'{name} = {value.hex() if isinstance(value, bytes) else value}'.rstrip())
    print('result =', result.hex())


def counting(length):
    return bytes(i & 255 for i in range(length))


# What FIPS 202's examples print of these
PUBLISHED = {
    (224, b''): '6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7',
    (256, b''): 'a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a',
    (224, b'abc'): 'e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf',
    (256, b'abc'): '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
    (384, b''): '0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a'
                'c3713831264adb47fb6bd1e058d5f004',
    (512, b''): 'a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6'
                '15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26',
}


def digest():
    two = b'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'
    long = (b'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn'
            b'hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu')
    for bits in BITS:
        block = block_of(bits)
        texts = [b'', b'abc', two, long] + [
            counting(n) for n in (1, block - 1, block, block + 1, 2 * block - 1, 2 * block,
                                  2 * block + 1, 1000)]
        for text in texts:
            made = hashlib.new(name_of(bits), text)
            assert made.block_size == block
            assert made.hexdigest() == PUBLISHED.get((bits, text), made.hexdigest())
            vector(f'SHA3_{bits}', made.digest(), data=text)
        vector(f'SHA3_{bits}', hashlib.new(name_of(bits), b'a' * 1000000).digest(), data=b'a',
               repeat=1000000)


def shake():
    published = {128: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
                 256: '46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f'}
    for bits in published:
        made = hashlib.new(f'shake_{bits}')
        block = made.block_size
        assert made.hexdigest(32) == published[bits]
        for length in (1, 32, block - 1, block, block + 1, 2 * block + 1):
            vector(f'SHAKE_{bits}', made.digest(length), data=b'')
        for length in (1, block - 1, block, block + 1, 2 * block, 1000):
            text = counting(length)
            vector(f'SHAKE_{bits}', hashlib.new(f'shake_{bits}', text).digest(50), data=text)


def hmacs():
    rfc4231 = (
        (b'\x0b' * 20, b'Hi There'),
        (b'Jefe', b'what do ya want for nothing?'),
        (b'\xaa' * 20, b'\xdd' * 50),
        (bytes(range(1, 26)), b'\xcd' * 50),
        (b'\x0c' * 20, b'Test With Truncation'),
        (b'\xaa' * 131, b'Test Using Larger Than Block-Size Key - Hash Key First'),
        (b'\xaa' * 131, b'This is a test using a larger than block-size key and a larger than '
                        b'block-size data. The key needs to be hashed before being used by the '
                        b'HMAC algorithm.'),
    )
    for bits in BITS:
        block = block_of(bits)
        nist = ((counting(bits // 8), b'Sample message for keylen<blocklen'),
                (counting(block), b'Sample message for keylen=blocklen'),
                (counting(block + bits // 8), b'Sample message for keylen>blocklen'))
        for number, (key, data) in enumerate(rfc4231, 1):
            vector(f'SHA3_{bits}_HMAC', hmac.digest(key, data, name_of(bits)), name=f'case-{number}',
                   key=key, data=data)
        for key, data in nist:
            vector(f'SHA3_{bits}_HMAC', hmac.digest(key, data, name_of(bits)), key=key, data=data)


def blocks(path):
    """The blocks of the keys of a file."""
    block = {}
    with open(os.path.join(HERE, path), encoding='ascii') as lines:
        for line in list(lines) + ['']:
            line = line.split('#')[0].strip()
            if line:
                word, value = (part.strip() for part in line.split('=', 1))
                block[word] = value
            else:
                if block.get('mechanism') == 'key':
                    yield block
                block = {}


def oaep(public, bits, mgf, label, data):
    """By openssl: cryptography has no SHA-3 here."""
    pem = public.public_bytes(serialization.Encoding.PEM,
                              serialization.PublicFormat.SubjectPublicKeyInfo)
    options = ['rsa_padding_mode:oaep', f'rsa_oaep_md:SHA3-{bits}', f'rsa_mgf1_md:SHA3-{mgf}']
    if label:
        options.append('rsa_oaep_label:' + label.hex())
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        command = ['openssl', 'pkeyutl', '-encrypt', '-pubin', '-inkey', file.name]
        for option in options:
            command += ['-pkeyopt', option]
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def rsa_vectors():
    numbers = {key: int(value, 16) for key, value in
               next(b for b in blocks('rsa.txt') if b['name'] == 'rfc7515-a2').items()
               if key not in ('mechanism', 'name')}
    key = rsa.RSAPrivateNumbers(
        numbers['p'], numbers['q'], numbers['d'], numbers['dp'], numbers['dq'], numbers['qi'],
        rsa.RSAPublicNumbers(numbers['e'], numbers['n'])).private_key()
    for bits in BITS:
        for data in (b'', b'abc', counting(300)):
            vector(f'SHA3_{bits}_RSA_PKCS', key.sign(data, padding.PKCS1v15(), hash_of(bits)),
                   key='rfc7515-a2', data=data)
    for bits in BITS:
        for mgf, salt in ((224, 0), (256, 0), (384, 0), (512, 0), (bits, bits // 8),
                          (bits, 254 - bits // 8)):
            for vendor in ('', '_VENDOR'):
                data = f'PSS {bits} {mgf} {salt}'.encode()
                pss = padding.PSS(padding.MGF1(hash_of(mgf)), salt)
                vector(f'SHA3_{bits}_RSA_PKCS_PSS', key.sign(data, pss, hash_of(bits)),
                       key='rfc7515-a2', hash=f'SHA3_{bits}', mgf=f'SHA3_{mgf}{vendor}', salt=salt,
                       data=data)
        data = hashlib.new(name_of(bits), b'prehashed').digest()
        pss = padding.PSS(padding.MGF1(hash_of(bits)), 20)
        vector('RSA_PKCS_PSS', key.sign(data, pss, utils.Prehashed(hash_of(bits))),
               key='rfc7515-a2', hash=f'SHA3_{bits}', mgf=f'SHA3_{bits}', salt=20, data=data)
    for bits in BITS:
        for mgf in (224, 512):
            for label in (b'', b'a label'):
                data = f'OAEP {bits} {mgf}'.encode()
                vendor = '_VENDOR' if label else ''
                vector('RSA_PKCS_OAEP', oaep(key.public_key(), bits, mgf, label, data),
                       key='rfc7515-a2', hash=f'SHA3_{bits}', mgf=f'SHA3_{mgf}{vendor}',
                       label=label, data=data)


CURVES = {'P-224': ec.SECP224R1, 'P-256': ec.SECP256R1, 'P-384': ec.SECP384R1,
          'P-521': ec.SECP521R1, 'secp256k1': ec.SECP256K1}


def kdf(hash_type, sp800, secret, shared, length):
    """SP 800-56A's one-step function, or X9.63's."""
    function = concatkdf.ConcatKDFHash if sp800 else x963kdf.X963KDF
    return function(hash_type, length, shared or None).derive(secret)


def ec_vectors():
    for block in [b for b in blocks('ec.txt') if b['name'].startswith('rfc6979')]:
        curve = CURVES[block['curve']]()
        key = ec.derive_private_key(int(block['value'], 16), curve)
        size = (curve.key_size + 7) // 8
        for bits in BITS:
            algorithm = ec.ECDSA(hash_of(bits), deterministic_signing=True)
            for data in (b'sample', counting(300)):
                r, s = utils.decode_dss_signature(key.sign(data, algorithm))
                vector(f'ECDSA_SHA3_{bits}', r.to_bytes(size, 'big') + s.to_bytes(size, 'big'),
                       key=block['name'], data=data)
    block = next(b for b in blocks('ec.txt') if b['name'] == 'rfc6979-p256')
    key = ec.derive_private_key(int(block['value'], 16), ec.SECP256R1())
    peer = ec.derive_private_key(0x5eed, ec.SECP256R1()).public_key().public_numbers()
    point = b'\4' + peer.x.to_bytes(32, 'big') + peer.y.to_bytes(32, 'big')
    secret = key.exchange(ec.ECDH(), peer.public_key())
    sha3 = [(f'SHA3_{bits}', hash_of(bits)) for bits in BITS]
    sha2 = [('SHA_1', hashes.SHA1()), ('SHA224', hashes.SHA224()), ('SHA256', hashes.SHA256()),
            ('SHA384', hashes.SHA384()), ('SHA512', hashes.SHA512())]
    kdfs = [(word, hash_type, False) for word, hash_type in sha3]
    kdfs += [(word + '_SP800', hash_type, True) for word, hash_type in sha2 + sha3]
    for word, hash_type, sp800 in kdfs:
        for shared, length in ((b'', 32), (b'shared data', 100)):
            vector('ECDH1_DERIVE', kdf(hash_type, sp800, secret, shared, length),
                   key='rfc6979-p256', peer=point, kdf=word, shared=shared)


PARTS = {'digest': digest, 'shake': shake, 'hmac': hmacs, 'rsa': rsa_vectors, 'ec': ec_vectors}

if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
    sys.exit(__doc__)
print(HEAD.format(part=sys.argv[1], how=HOW[sys.argv[1]]), end='')
PARTS[sys.argv[1]]()
