#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Java's SunPKCS11: the token as a keystore of keytool, and of a program.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "Java: SunPKCS11, keytool" openjdk-17-jre-headless
unseen token

file luna.cfg <<'TEXT'
name = luna
library = ${MODULE}
slotListIndex = 0
TEXT
setting "keytool with the token as its keystore, and without a start-up of seconds" <<'SH'
export JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -DMODULE=$MODULE"
export STORE="-keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 -providerArg luna.cfg"
SH
step "A key for encryption" <<'SH'
keytool $STORE -storepass:env PIN -genseckey -alias cipher -keyalg AES -keysize 256
SH
file Sign.java <<'TEXT'
import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import javax.crypto.*;

public class Sign {
	static final PSSParameterSpec PSS =
		new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);

	static Signature signature(String algorithm, Provider provider) throws Exception {
		Signature s = provider == null ? Signature.getInstance(algorithm)
					       : Signature.getInstance(algorithm, provider);
		if (algorithm.equals("RSASSA-PSS"))
			s.setParameter(PSS);
		return s;
	}

	public static void main(String[] args) throws Exception {
		Provider token = Security.getProvider("SunPKCS11").configure("luna.cfg");
		Security.addProvider(token);
		KeyStore store = KeyStore.getInstance("PKCS11", token);
		store.load(null, System.getenv("PIN").toCharArray());
		byte[] message = Files.readAllBytes(Path.of(args[0]));

		/* The token signs, Java's own provider verifies. */
		for (int i = 1; i < args.length; i++) {
			Signature sign = signature(args[i], token);
			sign.initSign((PrivateKey) store.getKey("signer", null));
			sign.update(message);
			Signature verify = signature(args[i], null);
			verify.initVerify(store.getCertificate("signer"));
			verify.update(message);
			System.out.println(args[i] + ": " + verify.verify(sign.sign()));
		}

		SecretKey key = (SecretKey) store.getKey("cipher", null);
		Cipher encrypt = Cipher.getInstance("AES/GCM/NoPadding", token);
		encrypt.init(Cipher.ENCRYPT_MODE, key);
		byte[] secret = encrypt.doFinal(message);
		Cipher decrypt = Cipher.getInstance("AES/GCM/NoPadding", token);
		decrypt.init(Cipher.DECRYPT_MODE, key, encrypt.getParameters());
		System.out.println("AES-GCM: " + MessageDigest.isEqual(message, decrypt.doFinal(secret)));
	}
}
TEXT
for row in "${key_types[@]}"; do
	choose_key "$row"
	if [[ $TYPE = rsa:* ]]; then
		setting "Java's name for it, and what shall sign with it" <<'SH'
export KIND="-keyalg RSA -keysize ${TYPE#*:}"
export ALGORITHMS="SHA256withRSA SHA512withRSA RSASSA-PSS"
SH
	else
		setting "Java's name for it, and what shall sign with it" <<'SH'
export KIND="-keyalg EC -groupname ${TYPE#*:}"
export ALGORITHMS="SHA256withECDSA SHA512withECDSA NONEwithECDSA"
SH
	fi
	step "Make a key pair and a certificate" <<'SH'
keytool $STORE -storepass:env PIN -genkeypair -alias signer $KIND -dname CN=signer
SH
	step "A request for a CA, which openssl finds in order, and all that there is" <<'SH'
keytool $STORE -storepass:env PIN -certreq -alias signer -file signer.csr
openssl req -in signer.csr -verify -noout
keytool $STORE -storepass:env PIN -list
SH
	said "the request's signature ($TYPE)" 'self-signature verify OK'
	said "the key pair ($TYPE)" 'signer, PrivateKeyEntry'
	said "the AES key ($TYPE)" 'cipher, SecretKeyEntry'
	step "Run the program" <<'SH'
echo "pay 100 to Alice" >message
java Sign.java message $ALGORITHMS
SH
	for algorithm in ${ALGORITHMS:-} AES-GCM; do
		said "$algorithm ($TYPE)" "^$algorithm: true"
	done
	step "Delete a key" <<'SH'
keytool $STORE -storepass:env PIN -delete -alias signer
SH
	also "it has gone ($TYPE)" <<'SH'
! keytool $STORE -storepass:env PIN -list -alias signer
SH
	said "and keytool says so ($TYPE)" 'Alias <signer> does not exist'
done
done_testing
