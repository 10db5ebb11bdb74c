#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# OpenSC's pkcs11-tool; what it signs is checked by openssl, and the other way round.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "OpenSC: pkcs11-tool" opensc openssl
unseen token

step "What the library and its tokens are" <<'SH'
pkcs11-tool --module "$MODULE" --show-info
pkcs11-tool --module "$MODULE" --list-slots
SH
said "the library's name" 'Luna-style software token'
said "the token's label" 'token label +: mytoken'
step "What the token can do" <<'SH'
pkcs11-tool --module "$MODULE" --list-mechanisms
SH
said "RSA signatures" 'SHA256-RSA-PKCS, keySize=.*sign'

text <<'MD'
## Keys
MD
# OpenSC 0.23 cannot read the public key of secp384r1 (SoftHSM2's neither): "cannot create EVP_PKEY".
for row in "${key_types[@]/secp384r1/secp521r1}"; do
	choose_key "$row"
	step "Make a key pair" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keypairgen --key-type "$TYPE" --label "$TYPE" --id 01
SH
	step "Sign, and let openssl verify with the public key" <<'SH'
echo "pay 100 to Alice" >message
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 01 --mechanism "$MECHANISM" \
	--signature-format openssl --input-file message --output-file signature
pkcs11-tool --module "$MODULE" --read-object --type pubkey --id 01 --output-file key.pub
openssl dgst -sha256 -keyform DER -verify key.pub -signature signature message
SH
	said "openssl agrees" 'Verified OK'
	step "Verify on the token" <<'SH'
pkcs11-tool --module "$MODULE" --verify --id 01 --mechanism "$MECHANISM" \
	--signature-format openssl --input-file message --signature-file signature
SH
	said "valid" 'Signature is valid'
	also "another message ($TYPE)" <<'SH'
echo "pay 900 to Alice" >other
pkcs11-tool --module "$MODULE" --verify --id 01 --mechanism "$MECHANISM" \
	--signature-format openssl --input-file other --signature-file signature
SH
	said "does not verify" 'Invalid signature'
	step "OpenSC's own tests of digests, signatures and decryption" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --test
SH
	said "no errors ($TYPE)" 'No errors'
	case $TYPE in
	rsa:*)
		said "signatures were tested" 'Signatures \(currently only for RSA\)'
		said "with every mechanism" 'RSA-X-509: OK'
		step "Encrypt for the key with openssl (RSA-OAEP), decrypt on the token" <<'SH'
openssl pkeyutl -encrypt -pubin -keyform DER -inkey key.pub -pkeyopt rsa_padding_mode:oaep \
	-pkeyopt rsa_oaep_md:sha256 -in message -out secret
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --decrypt --id 01 --mechanism RSA-PKCS-OAEP \
	--hash-algorithm SHA256 --mgf MGF1-SHA256 --input-file secret --output-file plain
cmp message plain
SH
		also "RSA-PSS of a hash" <<'SH'
openssl dgst -sha256 -binary message >digest
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 01 --mechanism RSA-PKCS-PSS \
	--hash-algorithm SHA256 --mgf MGF1-SHA256 --salt-len 32 --input-file digest --output-file pss
openssl dgst -sha256 -keyform DER -verify key.pub -sigopt rsa_padding_mode:pss \
	-sigopt rsa_pss_saltlen:32 -signature pss message
SH
		also "RSA-PSS with its hash in the mechanism" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 01 --mechanism SHA384-RSA-PKCS-PSS \
	--input-file message --output-file pss
openssl dgst -sha384 -keyform DER -verify key.pub -sigopt rsa_padding_mode:pss -signature pss message
SH
		also "SHA-3" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 01 --mechanism SHA3-256-RSA-PKCS \
	--input-file message --output-file signature
openssl dgst -sha3-256 -keyform DER -verify key.pub -signature signature message
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 01 --mechanism SHA3-384-RSA-PKCS-PSS \
	--input-file message --output-file pss
openssl dgst -sha3-384 -keyform DER -verify key.pub -sigopt rsa_padding_mode:pss -signature pss message
SH
		;;
	esac
	also "delete the pair ($TYPE)" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type privkey --id 01
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type pubkey --id 01
SH
done

step "AES: make a key, encrypt, decrypt" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keygen --key-type AES:32 --label cipher --id 10
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --encrypt --id 10 --mechanism AES-CBC-PAD \
	--iv 000102030405060708090a0b0c0d0e0f --input-file message --output-file secret
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --decrypt --id 10 --mechanism AES-CBC-PAD \
	--iv 000102030405060708090a0b0c0d0e0f --input-file secret --output-file plain
cmp message plain
SH
step "Wrap an extractable key under another one, and unwrap it again" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keygen --key-type AES:32 --label traveller --id 11 --extractable
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --wrap --id 10 --mechanism AES-CBC-PAD \
	--iv 000102030405060708090a0b0c0d0e0f --application-id 11 --output-file wrapped
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --unwrap --id 10 --mechanism AES-CBC-PAD \
	--iv 000102030405060708090a0b0c0d0e0f --input-file wrapped --key-type AES: \
	--application-id 12 --application-label arrived
SH
also "both keys are the same" <<'SH'
for id in 11 12; do
	pkcs11-tool --module "$MODULE" --login --pin "$PIN" --encrypt --id $id --mechanism AES-ECB \
		--input-file <(printf 0123456789abcdef) --output-file block$id
done
cmp block11 block12
SH
also "a key that is not extractable does not leave" <<'SH'
! pkcs11-tool --module "$MODULE" --login --pin "$PIN" --wrap --id 11 --mechanism AES-CBC-PAD \
	--iv 000102030405060708090a0b0c0d0e0f --application-id 10 --output-file never
SH
said "CKR_KEY_UNEXTRACTABLE" CKR_KEY_UNEXTRACTABLE

text <<'MD'
## Bring your own
MD
step "Import a key pair and a certificate that openssl made, and a file" <<'SH'
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=imported -days 30 -keyout own.pem -out own.crt
openssl pkey -in own.pem -outform DER -out own.der
openssl pkey -in own.pem -pubout -outform DER -out own.pub
openssl x509 -in own.crt -outform DER -out own.crt.der
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --write-object own.der --type privkey \
	--label imported --id 20 --usage-sign
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --write-object own.pub --type pubkey --label imported --id 20
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --write-object own.crt.der --type cert --label imported --id 20
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --write-object message --type data \
	--label note --application-label mail
SH
step "The imported key signs" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --sign --id 20 --mechanism SHA256-RSA-PKCS \
	--input-file message --output-file signature
openssl dgst -sha256 -verify <(openssl x509 -in own.crt -pubkey -noout) -signature signature message
SH
said "openssl agrees with the imported key" 'Verified OK'
also "certificate and data come back as they were" <<'SH'
pkcs11-tool --module "$MODULE" --read-object --type cert --id 20 --output-file back.crt
cmp own.crt.der back.crt
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --read-object --type data --label note --output-file back
cmp message back
SH
step "List all, delete something" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --list-objects
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type secrkey --id 11
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type data --label note
SH
said "the certificate is listed" 'Certificate Object; type = X.509 cert'
also "what was deleted has gone" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --list-objects >objects
! grep -E 'traveller|note' objects
grep -q imported objects
SH

text <<'MD'
## A token from nothing, by pkcs11-tool alone

The security officer of a slot that has no token yet is made by `--init-token`, the crypto officer by
`--init-pin`. `lunactl` is needed only for what PKCS#11 has no word for, such as the cloning domain.
MD
step "Initialise the second slot" <<'SH'
pkcs11-tool --module "$MODULE" --slot-index 1 --init-token --label other --so-pin "$SO_PIN"
pkcs11-tool --module "$MODULE" --slot-index 1 --login --login-type so --so-pin "$SO_PIN" --init-pin --new-pin 1234-first
SH
step "Change the user's PIN, and use it" <<'SH'
pkcs11-tool --module "$MODULE" --token-label other --login --pin 1234-first --change-pin --new-pin "$PIN"
pkcs11-tool --module "$MODULE" --token-label other --login --pin "$PIN" --keygen --key-type AES:16 --label hello
SH
also "the old PIN is refused" <<'SH'
! pkcs11-tool --module "$MODULE" --token-label other --login --pin 1234-first --list-objects
SH
said "CKR_PIN_INCORRECT" CKR_PIN_INCORRECT
done_testing
