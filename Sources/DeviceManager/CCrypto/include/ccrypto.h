/*
 * ccrypto - what the agent needs of libcrypto: SHA-256, Ed25519 and random bytes.
 *
 * Functions return true when all is well. They hold nothing between calls.
 */
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CCRYPTO_SHA256_SIZE 32
#define CCRYPTO_ED25519_KEY_SIZE 32
#define CCRYPTO_ED25519_SIGNATURE_SIZE 64
/* Room for an Ed25519 private key as PEM (PKCS #8, RFC 8410), with the final NUL. */
#define CCRYPTO_ED25519_PEM_SIZE 192

bool ccrypto_random(uint8_t *bytes, size_t count);

bool ccrypto_sha256(const uint8_t *bytes, size_t count, uint8_t digest[CCRYPTO_SHA256_SIZE]);

/* SHA-256 over what comes in parts. One such thing is good for one message after the other; NULL: no memory. */
struct ccrypto_hasher;
struct ccrypto_hasher *ccrypto_hasher_new(void);
void ccrypto_hasher_free(struct ccrypto_hasher *hasher);
bool ccrypto_hasher_begin(struct ccrypto_hasher *hasher);
/* MD5 in its place, of which only the first CCRYPTO_MD5_SIZE bytes count: what dpkg(1) uses, and no protection. */
#define CCRYPTO_MD5_SIZE 16
bool ccrypto_hasher_begin_md5(struct ccrypto_hasher *hasher);
bool ccrypto_hasher_add(struct ccrypto_hasher *hasher, const void *bytes, size_t count);
bool ccrypto_hasher_end(struct ccrypto_hasher *hasher, uint8_t digest[CCRYPTO_SHA256_SIZE]);

/* Makes a key pair (RFC 8032). */
bool ccrypto_ed25519_generate(uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE]);
bool ccrypto_ed25519_public(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE],
                            uint8_t public_key[CCRYPTO_ED25519_KEY_SIZE]);
bool ccrypto_ed25519_sign(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE], const uint8_t *message, size_t count,
                          uint8_t signature[CCRYPTO_ED25519_SIGNATURE_SIZE]);

/* The private key as PEM text, and back. Reading gives false for anything that is not one Ed25519 private key. */
bool ccrypto_ed25519_to_pem(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE], char pem[CCRYPTO_ED25519_PEM_SIZE]);
bool ccrypto_ed25519_from_pem(const char *pem, size_t count, uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
