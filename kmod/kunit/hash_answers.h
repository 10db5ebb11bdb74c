/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * FIPS 180-4 (its examples and a million times "a"), RFC 2202, RFC 4231, SP 800-38B. SHA-3 of the
 * same texts, and HMAC with it of some of RFC 4231's, by Python's hashlib and hmac.
 */
#ifndef LUNA_KUNIT_HASH_ANSWERS_H
#define LUNA_KUNIT_HASH_ANSWERS_H

#include "engine.h"

#define TWO_BLOCKS	"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define TWO_LONG_BLOCKS	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" \
			"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

static const struct {
	enum luna_hash hash;
	const char *text, *digest;
} hash_answers[] __maybe_unused = {
	{ LUNA_SHA1, "",
	  "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ LUNA_SHA1, "abc",
	  "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ LUNA_SHA1, TWO_BLOCKS,
	  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	{ LUNA_SHA1, TWO_LONG_BLOCKS,
	  "a49b2446a02c645bf419f995b67091253a04a259" },
	{ LUNA_SHA224, "",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ LUNA_SHA224, "abc",
	  "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
	{ LUNA_SHA224, TWO_BLOCKS,
	  "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525" },
	{ LUNA_SHA224, TWO_LONG_BLOCKS,
	  "c97ca9a559850ce97a04a96def6d99a9e0e0e2ab14e6b8df265fc0b3" },
	{ LUNA_SHA256, "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ LUNA_SHA256, "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ LUNA_SHA256, TWO_BLOCKS,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ LUNA_SHA256, TWO_LONG_BLOCKS,
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ LUNA_SHA384, "",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fb"
	  "d51ad2f14898b95b" },
	{ LUNA_SHA384, "abc",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc23"
	  "58baeca134c825a7" },
	{ LUNA_SHA384, TWO_BLOCKS,
	  "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6b0455a8520bc4e6f"
	  "5fe95b1fe3c8452b" },
	{ LUNA_SHA384, TWO_LONG_BLOCKS,
	  "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db9"
	  "66c3e9fa91746039" },
	{ LUNA_SHA512, "",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0"
	  "ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ LUNA_SHA512, "abc",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
	  "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ LUNA_SHA512, TWO_BLOCKS,
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9"
	  "aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
	{ LUNA_SHA512, TWO_LONG_BLOCKS,
	  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4"
	  "331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
	{ LUNA_SHA3_224, "",
	  "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7" },
	{ LUNA_SHA3_224, "abc",
	  "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf" },
	{ LUNA_SHA3_224, TWO_BLOCKS,
	  "8a24108b154ada21c9fd5574494479ba5c7e7ab76ef264ead0fcce33" },
	{ LUNA_SHA3_224, TWO_LONG_BLOCKS,
	  "543e6868e1666c1a643630df77367ae5a62a85070a51c14cbf665cbc" },
	{ LUNA_SHA3_256, "",
	  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a" },
	{ LUNA_SHA3_256, "abc",
	  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
	{ LUNA_SHA3_256, TWO_BLOCKS,
	  "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376" },
	{ LUNA_SHA3_256, TWO_LONG_BLOCKS,
	  "916f6061fe879741ca6469b43971dfdb28b1a32dc36cb3254e812be27aad1d18" },
	{ LUNA_SHA3_384, "",
	  "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47"
	  "fb6bd1e058d5f004" },
	{ LUNA_SHA3_384, "abc",
	  "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f5"
	  "39f1edf228376d25" },
	{ LUNA_SHA3_384, TWO_BLOCKS,
	  "991c665755eb3a4b6bbdfb75c78a492e8c56a22c5c4d7e429bfdbc32b9d4ad5aa04a1f076e62fea1"
	  "9eef51acd0657c22" },
	{ LUNA_SHA3_384, TWO_LONG_BLOCKS,
	  "79407d3b5916b59c3e30b09822974791c313fb9ecc849e406f23592d04f625dc8c709b98b43b3852"
	  "b337216179aa7fc7" },
	{ LUNA_SHA3_512, "",
	  "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c"
	  "11e3e9402c3ac558f500199d95b6d3e301758586281dcd26" },
	{ LUNA_SHA3_512, "abc",
	  "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c9"
	  "1a7ec57647e3934057340b4cf408d5a56592f8274eec53f0" },
	{ LUNA_SHA3_512, TWO_BLOCKS,
	  "04a371e84ecfb5b8b77cb48610fca8182dd457ce6f326a0fd3d7ec2f1e91636dee691fbe0c985302"
	  "ba1b0d8dc78c086346b533b49c030d99a27daf1139d6e75e" },
	{ LUNA_SHA3_512, TWO_LONG_BLOCKS,
	  "afebb2ef542e6579c50cad06d2e578f9f8dd6881d7dc824d26360feebf18a4fa73e3261122948efc"
	  "fd492e74e82e2189ed0fb440d187f382270cb455f21dd185" },
};

static const struct {
	enum luna_hash hash;
	const char *digest;
} million_answers[] __maybe_unused = {
	{ LUNA_SHA1,
	  "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	{ LUNA_SHA224,
	  "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67" },
	{ LUNA_SHA256,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ LUNA_SHA384,
	  "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4eb"
	  "ae97ddd87f3d8985" },
	{ LUNA_SHA512,
	  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a"
	  "4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
	{ LUNA_SHA3_224,
	  "d69335b93325192e516a912e6d19a15cb51c6ed5c15243e7a7fd653c" },
	{ LUNA_SHA3_256,
	  "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1" },
	{ LUNA_SHA3_384,
	  "eee9e24d78c1855337983451df97c8ad9eedf256c6334f8e948d252d5e0e76847aa0774ddb90a842"
	  "190d2c558b4b8340" },
	{ LUNA_SHA3_512,
	  "3c3a876da14034ab60627c077bb98f7e120a2a5370212dffb3385a18d4f38859ed311d0a9d5141ce"
	  "9cc5c66ee689b266a8aa18ace8282a0e0db596c90b0a7b87" },
};

static const struct {
	enum luna_mac_kind kind;
	const char *key, *data, *mac;
} mac_answers[] = {
	{ LUNA_HMAC + LUNA_SHA1,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ LUNA_HMAC + LUNA_SHA1,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ LUNA_HMAC + LUNA_SHA1,
	  "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	  "546573742057697468205472756e636174696f6e",
	  "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
	{ LUNA_HMAC + LUNA_SHA1,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ LUNA_HMAC + LUNA_SHA1,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e"
	  "64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461",
	  "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
	{ LUNA_HMAC + LUNA_SHA224,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22" },
	{ LUNA_HMAC + LUNA_SHA224,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ LUNA_HMAC + LUNA_SHA224,
	  "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	  "546573742057697468205472756e636174696f6e",
	  "0e2aea68a90c8d37c988bcdb9fca6fa8099cd857c7ec4a1815cac54c" },
	{ LUNA_HMAC + LUNA_SHA224,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e" },
	{ LUNA_HMAC + LUNA_SHA224,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
	  "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
	  "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
	  "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
	  "3a854166ac5d9f023f54d517d0b39dbd946770db9c2b95c9f6f565d1" },
	{ LUNA_HMAC + LUNA_SHA256,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ LUNA_HMAC + LUNA_SHA256,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ LUNA_HMAC + LUNA_SHA256,
	  "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	  "546573742057697468205472756e636174696f6e",
	  "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5" },
	{ LUNA_HMAC + LUNA_SHA256,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ LUNA_HMAC + LUNA_SHA256,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
	  "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
	  "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
	  "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	{ LUNA_HMAC + LUNA_SHA384,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f"
	  "4af152e8b2fa9cb6" },
	{ LUNA_HMAC + LUNA_SHA384,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c7"
	  "8b3239ecfab21649" },
	{ LUNA_HMAC + LUNA_SHA384,
	  "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	  "546573742057697468205472756e636174696f6e",
	  "3abf34c3503b2a23a46efc619baef897f4c8e42c934ce55ccbae9740fcbc1af4ca62269e2a37cd88"
	  "ba926341efe4aeea" },
	{ LUNA_HMAC + LUNA_SHA384,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe82"
	  "96248df163f44952" },
	{ LUNA_HMAC + LUNA_SHA384,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
	  "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
	  "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
	  "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
	  "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d"
	  "3860e6110c46523e" },
	{ LUNA_HMAC + LUNA_SHA512,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702"
	  "038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ LUNA_HMAC + LUNA_SHA512,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a"
	  "6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ LUNA_HMAC + LUNA_SHA512,
	  "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
	  "546573742057697468205472756e636174696f6e",
	  "415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008711c5b50ddd0fc23"
	  "5084eb9d3364a1454fb2ef67cd1d29fe6773068ea266e96b" },
	{ LUNA_HMAC + LUNA_SHA512,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598"
	  "bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	{ LUNA_HMAC + LUNA_SHA512,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
	  "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
	  "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
	  "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
	  "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b1"
	  "0d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
	{ LUNA_HMAC + LUNA_SHA3_224,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "3b16546bbc7be2706a031dcafd56373d9884367641d8c59af3c860f7" },
	{ LUNA_HMAC + LUNA_SHA3_224,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66" },
	{ LUNA_HMAC + LUNA_SHA3_224,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "b4a1f04c00287a9b7f6075b313d279b833bc8f75124352d05fb9995f" },
	{ LUNA_HMAC + LUNA_SHA3_224,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "746865206b6579206973206c6f6e676572207468616e20657665727920626c6f636b",
	  "52de83fdef11e68a57662676020ed7ac4b2b53ac8f9c5e4b7ce09cc0" },
	{ LUNA_HMAC + LUNA_SHA3_256,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "ba85192310dffa96e2a3a40e69774351140bb7185e1202cdcc917589f95e16bb" },
	{ LUNA_HMAC + LUNA_SHA3_256,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5" },
	{ LUNA_HMAC + LUNA_SHA3_256,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "ed73a374b96c005235f948032f09674a58c0ce555cfc1f223b02356560312c3b" },
	{ LUNA_HMAC + LUNA_SHA3_256,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "746865206b6579206973206c6f6e676572207468616e20657665727920626c6f636b",
	  "1f6f59181bcafad521605d09700401c78a5798d27938b3aa7be532b164e2abfa" },
	{ LUNA_HMAC + LUNA_SHA3_384,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "68d2dcf7fd4ddd0a2240c8a437305f61fb7334cfb5d0226e1bc27dc10a2e723a20d370b47743130e"
	  "26ac7e3d532886bd" },
	{ LUNA_HMAC + LUNA_SHA3_384,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce48c045dc007f26a2"
	  "1b3f5e0e9df4c20a" },
	{ LUNA_HMAC + LUNA_SHA3_384,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "0fc19513bf6bd878037016706a0e57bc528139836b9a42c3d419e498e0e1fb9616fd669138d33a11"
	  "05e07c72b6953bcc" },
	{ LUNA_HMAC + LUNA_SHA3_384,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "746865206b6579206973206c6f6e676572207468616e20657665727920626c6f636b",
	  "47bae20d78f43303d586cc988bc647c05518fef37f5f38ef37d47a37687be06147b338a37b8cb092"
	  "616f84c6079a9e37" },
	{ LUNA_HMAC + LUNA_SHA3_512,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "4869205468657265",
	  "eb3fbd4b2eaab8f5c504bd3a41465aacec15770a7cabac531e482f860b5ec7ba47ccb2c6f2afce8f"
	  "88d22b6dc61380f23a668fd3888bb80537c0a0b86407689e" },
	{ LUNA_HMAC + LUNA_SHA3_512,
	  "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b287baec921fd7ca0"
	  "ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024" },
	{ LUNA_HMAC + LUNA_SHA3_512,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
	  "48617368204b6579204669727374",
	  "00f751a9e50695b090ed6911a4b65524951cdc15a73a5d58bb55215ea2cd839ac79d2b44a39bafab"
	  "27e83fde9e11f6340b11d991b1b91bf2eee7fc872426c3a4" },
	{ LUNA_HMAC + LUNA_SHA3_512,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "746865206b6579206973206c6f6e676572207468616e20657665727920626c6f636b",
	  "0495b2de98de5f2a3f5122415f5ec4e64a3a3bb69ffaa1267e257b33ac4bce0eb0a7ee90e133c5b6"
	  "ea2eab5925eef483c7f1ea3eb69f37fe1f6615916e4a32c2" },
	{ LUNA_CMAC_AES,
	  "2b7e151628aed2a6abf7158809cf4f3c",
	  "",
	  "bb1d6929e95937287fa37d129b756746" },
	{ LUNA_CMAC_AES,
	  "2b7e151628aed2a6abf7158809cf4f3c",
	  "6bc1bee22e409f96e93d7e117393172a",
	  "070a16b46b4d4144f79bdd9dd04a287c" },
	{ LUNA_CMAC_AES,
	  "2b7e151628aed2a6abf7158809cf4f3c",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "dfa66747de9ae63030ca32611497c827" },
	{ LUNA_CMAC_AES,
	  "2b7e151628aed2a6abf7158809cf4f3c",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"
	  "e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "51f0bebf7e3b9d92fc49741779363cfe" },
	{ LUNA_CMAC_AES,
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "",
	  "d17ddf46adaacde531cac483de7a9367" },
	{ LUNA_CMAC_AES,
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "6bc1bee22e409f96e93d7e117393172a",
	  "9e99a7bf31e710900662f65e617c5184" },
	{ LUNA_CMAC_AES,
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "8a1de5be2eb31aad089a82e6ee908b0e" },
	{ LUNA_CMAC_AES,
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"
	  "e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "a1d5df0eed790f794d77589659f39a11" },
	{ LUNA_CMAC_AES,
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "",
	  "028962f61b7bf89efc6b551f4667d983" },
	{ LUNA_CMAC_AES,
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "6bc1bee22e409f96e93d7e117393172a",
	  "28a7023f452e8f82bd4bf28d8c37c35c" },
	{ LUNA_CMAC_AES,
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "aaf3d8f1de5640c232f5b169b9c911e6" },
	{ LUNA_CMAC_AES,
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"
	  "e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
	  "e1992190549f6ed5696a2c056c315410" },
};

#endif /* LUNA_KUNIT_HASH_ANSWERS_H */
