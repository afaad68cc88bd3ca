/* SPDX-License-Identifier: MIT
 *
 * The primitives of the auth plugins against the vectors of their RFCs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth-common/primitives.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct wt_primitives primitives;

/* Hexadecimal text to bytes; the length. */
static size_t unhex(const char *text, uint8_t *out, size_t size)
{
	size_t n = strlen(text) / 2;

	assert_in_range(n, 0, size);
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = 0;

		for (size_t k = 0; k < 2; k++) {
			const char *digits = "0123456789abcdef";
			const char *at = strchr(digits, text[2 * i + k]);

			assert_non_null(at);
			byte = (uint8_t)(byte << 4 | (at - digits));
		}
		out[i] = byte;
	}
	return n;
}

static void assert_bytes(const uint8_t *got, const char *want_hex)
{
	uint8_t want[128];
	size_t n = unhex(want_hex, want, sizeof want);

	assert_memory_equal(got, want, n);
}

/* RFC 4231, section 4: all cases but 5, which truncates. */
static const struct {
	const char *name, *key, *data, *mac;
} hmac_cases[] = {
	{ "1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "2", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dddddddddddddddddddddddddddddddd",
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "4", "0102030405060708090a0b0c0d0e0f10111213141516171819",
	  "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	  "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ "6", "131 x aa",
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a6520"
	  "4b6579202d2048617368204b6579204669727374",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "7", "131 x aa",
	  "5468697320697320612074657374207573696e672061206c6172676572207468616e"
	  "20626c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20"
	  "626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20"
	  "626520686173686564206265666f7265206265696e67207573656420627920746865"
	  "20484d414320616c676f726974686d2e",
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
};

static void hmac_is_rfc_4231(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hmac_cases); i++) {
		uint8_t key[131], data[256], mac[HASH_SIZE];
		size_t key_len = sizeof key, data_len;

		if (strcmp(hmac_cases[i].key, "131 x aa") == 0)
			memset(key, 0xaa, sizeof key);
		else
			key_len = unhex(hmac_cases[i].key, key, sizeof key);
		data_len = unhex(hmac_cases[i].data, data, sizeof data);
		/* Whole, and in two parts at every border. */
		for (size_t cut = 0; cut <= data_len; cut++) {
			const struct wt_part parts[] = { { data, cut },
							 { data + cut, data_len - cut } };

			assert_int_equal(wt_hmac_sha256(&primitives, key, key_len, parts, 2, mac),
					 WT_OK);
			assert_bytes(mac, hmac_cases[i].mac);
		}
	}
}

/* RFC 5869, appendix A: the cases with SHA-256. */
static const struct {
	const char *ikm, *salt, *info, *prk, *okm;
} hkdf_cases[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	  "f0f1f2f3f4f5f6f7f8f9",
	  "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
};

static void hkdf_is_rfc_5869(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hkdf_cases); i++) {
		uint8_t ikm[80], salt[80], info[80], want[96], prk[HASH_SIZE], okm[96];
		size_t ikm_len = unhex(hkdf_cases[i].ikm, ikm, sizeof ikm);
		size_t salt_len = unhex(hkdf_cases[i].salt, salt, sizeof salt);
		size_t info_len = unhex(hkdf_cases[i].info, info, sizeof info);
		size_t okm_len = unhex(hkdf_cases[i].okm, want, sizeof want);

		assert_int_equal(wt_hkdf_extract(&primitives, salt, salt_len, ikm, ikm_len, prk),
				 WT_OK);
		assert_bytes(prk, hkdf_cases[i].prk);
		assert_int_equal(wt_hkdf_expand(&primitives, prk, sizeof prk, "", info, info_len,
						okm, okm_len),
				 WT_OK);
		assert_memory_equal(okm, want, okm_len);
	}
}

static void a_label_comes_before_its_data(void **state)
{
	const uint8_t prk[HASH_SIZE] = { 1 }, joined[] = { 'a', 'b', 'c', 0, 9 };
	uint8_t once[HASH_SIZE], apart[HASH_SIZE];

	(void)state;
	assert_int_equal(wt_hkdf_expand(&primitives, prk, sizeof prk, "", joined, 5, once, 32),
			 WT_OK);
	assert_int_equal(
		wt_hkdf_expand(&primitives, prk, sizeof prk, "abc", joined + 3, 2, apart, 32),
		WT_OK);
	assert_memory_equal(once, apart, sizeof once);
}

/* RFC 7748, section 5.2. */
static void x25519_is_rfc_7748(void **state)
{
	static const char *const cases[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	uint8_t k[32] = { 9 }, u[32] = { 9 }, out[32];

	(void)state;
	for (int i = 1; i <= 1000; i++) {
		assert_int_equal(wt_x25519(k, u, out), WT_OK);
		memcpy(u, k, sizeof u);
		memcpy(k, out, sizeof k);
		if (i == 1)
			assert_bytes(k, "422c8e7a6227d7bca1350b3e2bb7279f"
					"7897b87bb6854b783c60e80311ae3079");
	}
	assert_bytes(k, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
	for (size_t i = 0; i < COUNT(cases); i++) {
		unhex(cases[i][0], k, sizeof k);
		unhex(cases[i][1], u, sizeof u);
		assert_int_equal(wt_x25519(k, u, out), WT_OK);
		assert_bytes(out, cases[i][2]);
	}
}

/* RFC 7748, section 6.1. */
static void both_ends_get_one_secret(void **state)
{
	uint8_t a[32], b[32], public_a[32], public_b[32], out[32];

	(void)state;
	unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", a, sizeof a);
	unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", b, sizeof b);
	assert_int_equal(wt_x25519_public(a, public_a), WT_OK);
	assert_int_equal(wt_x25519_public(b, public_b), WT_OK);
	assert_bytes(public_a, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	assert_bytes(public_b, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	assert_int_equal(wt_x25519(a, public_b, out), WT_OK);
	assert_bytes(out, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	assert_int_equal(wt_x25519(b, public_a, out), WT_OK);
	assert_bytes(out, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

/* All encodings of the points of small order, the top bit clear and set. */
static void small_order_points_are_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	const uint8_t k[32] = { 1, 2, 3 }, zero[32] = { 0 };
	uint8_t u[32], out[32];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(points); i++) {
		unhex(points[i / 2], u, sizeof u);
		if (i % 2)
			u[31] |= 0x80;
		memset(out, 0x55, sizeof out);
		assert_int_equal(wt_x25519(k, u, out), WT_ERR_AUTH);
		assert_memory_equal(out, zero, sizeof out);
	}
	/* 2^255 - 17, which is 2: not canonical, but legal. */
	memset(u, 0xff, sizeof u);
	u[0] = 0xef;
	u[31] = 0x7f;
	assert_int_equal(wt_x25519(k, u, out), WT_OK);
}

static int set_up(void **state)
{
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	return wt_primitives_init(&primitives, &err) == WT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	wt_primitives_free(&primitives);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_is_rfc_4231),
		cmocka_unit_test(hkdf_is_rfc_5869),
		cmocka_unit_test(a_label_comes_before_its_data),
		cmocka_unit_test(x25519_is_rfc_7748),
		cmocka_unit_test(both_ends_get_one_secret),
		cmocka_unit_test(small_order_points_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
