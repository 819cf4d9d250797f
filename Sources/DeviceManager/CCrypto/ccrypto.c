#include "ccrypto.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

/*
 * Before anything else is asked of libcrypto: openssl.cnf of the machine is not read, which could break what is asked
 * for here and change nothing else, and no words for mistakes are loaded, which nobody reads.
 */
__attribute__((constructor)) static void begin(void) {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}

bool ccrypto_random(uint8_t *bytes, size_t count) { return count <= INT_MAX && RAND_bytes(bytes, (int)count) == 1; }

bool ccrypto_sha256(const uint8_t *bytes, size_t count, uint8_t digest[CCRYPTO_SHA256_SIZE]) {
    return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1;
}

/* The one kind of object that there is behind this name. */
static EVP_MD_CTX *context(struct ccrypto_hasher *hasher) { return (EVP_MD_CTX *)hasher; }

struct ccrypto_hasher *ccrypto_hasher_new(void) {
    return (struct ccrypto_hasher *)EVP_MD_CTX_new();
}

void ccrypto_hasher_free(struct ccrypto_hasher *hasher) { EVP_MD_CTX_free(context(hasher)); }

bool ccrypto_hasher_begin(struct ccrypto_hasher *hasher) {
    return EVP_DigestInit_ex(context(hasher), EVP_sha256(), NULL) == 1;
}

bool ccrypto_hasher_begin_md5(struct ccrypto_hasher *hasher) {
    return EVP_DigestInit_ex(context(hasher), EVP_md5(), NULL) == 1;
}

bool ccrypto_hasher_add(struct ccrypto_hasher *hasher, const void *bytes, size_t count) {
    return EVP_DigestUpdate(context(hasher), bytes, count) == 1;
}

bool ccrypto_hasher_end(struct ccrypto_hasher *hasher, uint8_t digest[CCRYPTO_SHA256_SIZE]) {
    return EVP_DigestFinal_ex(context(hasher), digest, NULL) == 1;
}

static EVP_PKEY *private_pkey(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE]) {
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, CCRYPTO_ED25519_KEY_SIZE);
}

bool ccrypto_ed25519_generate(uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE]) {
    /* An Ed25519 private key is 32 random bytes (RFC 8032, section 5.1.5). */
    return RAND_priv_bytes(private_key, CCRYPTO_ED25519_KEY_SIZE) == 1;
}

bool ccrypto_ed25519_public(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE],
                            uint8_t public_key[CCRYPTO_ED25519_KEY_SIZE]) {
    EVP_PKEY *key = private_pkey(private_key);
    size_t size = CCRYPTO_ED25519_KEY_SIZE;
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1;
    EVP_PKEY_free(key);
    return ok && size == CCRYPTO_ED25519_KEY_SIZE;
}

bool ccrypto_ed25519_sign(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE], const uint8_t *message, size_t count,
                          uint8_t signature[CCRYPTO_ED25519_SIGNATURE_SIZE]) {
    EVP_PKEY *key = private_pkey(private_key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = CCRYPTO_ED25519_SIGNATURE_SIZE;
    bool ok = key != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &size, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok && size == CCRYPTO_ED25519_SIGNATURE_SIZE;
}

bool ccrypto_ed25519_to_pem(const uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE], char pem[CCRYPTO_ED25519_PEM_SIZE]) {
    EVP_PKEY *key = private_pkey(private_key);
    BIO *memory = BIO_new(BIO_s_mem());
    bool ok =
        key != NULL && memory != NULL && PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (ok) {
        int count = BIO_read(memory, pem, CCRYPTO_ED25519_PEM_SIZE - 1);
        ok = count > 0 && BIO_pending(memory) == 0;
        pem[ok ? count : 0] = '\0';
    }
    BIO_free(memory);
    EVP_PKEY_free(key);
    return ok;
}

bool ccrypto_ed25519_from_pem(const char *pem, size_t count, uint8_t private_key[CCRYPTO_ED25519_KEY_SIZE]) {
    if (count > INT_MAX) return false;
    BIO *memory = BIO_new_mem_buf(pem, (int)count);
    /* The last argument stands for a pass phrase: none, so that an encrypted key fails instead of asking. */
    EVP_PKEY *key = memory != NULL ? PEM_read_bio_PrivateKey(memory, NULL, NULL, "") : NULL;
    size_t size = CCRYPTO_ED25519_KEY_SIZE;
    bool ok = key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
              EVP_PKEY_get_raw_private_key(key, private_key, &size) == 1;
    EVP_PKEY_free(key);
    BIO_free(memory);
    return ok && size == CCRYPTO_ED25519_KEY_SIZE;
}
