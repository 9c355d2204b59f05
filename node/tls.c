/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out; /* belong to ssl */
	char host[256];
};

/* What OpenSSL says of the last failure; its queue is emptied. */
static int from_ssl(int code, const char *what, struct err_note *note)
{
	const unsigned long e = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(e);

	ERR_clear_error();
	return FAIL_SAY(note, code, "%s: %s", what, reason ? reason : "no reason given");
}

static int from_file(const char *file, struct err_note *note)
{
	const unsigned long e = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(e);

	ERR_clear_error();
	return FAIL_SAY(note, ERR_UNTRUSTED, "%s: %s", file, reason ? reason : "not readable as PEM");
}

/* No terminal is asked for the passphrase of a key. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return -1;
}

static int load_files(struct tls *t, const struct tls_options *opt, struct err_note *note)
{
	if (opt->ca_file ? SSL_CTX_load_verify_file(t->context, opt->ca_file) != 1
			 : SSL_CTX_set_default_verify_paths(t->context) != 1)
		return from_file(opt->ca_file ? opt->ca_file : "certificates of the system", note);
	SSL_CTX_set_default_passwd_cb(t->context, no_passphrase);
	if (!opt->cert_file)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(t->context, opt->cert_file) != 1)
		return from_file(opt->cert_file, note);
	const char *key = opt->key_file ? opt->key_file : opt->cert_file;
	if (SSL_CTX_use_PrivateKey_file(t->context, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(t->context) != 1)
		return from_file(key, note);
	return 0;
}

/* An address is looked for among the addresses of a certificate, a name among its names. */
static int set_host(struct tls *t, const char *host, struct err_note *note)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);

	snprintf(t->host, sizeof t->host, "%s", host);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return 0;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, host, 0) != 1 ||
	    SSL_set_tlsext_host_name(t->ssl, t->host) != 1)
		return from_ssl(ERR_UNTRUSTED, host, note);
	return 0;
}

static int make_ssl(struct tls *t, struct err_note *note)
{
	t->ssl = SSL_new(t->context);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out) {
		BIO_free(t->in);
		BIO_free(t->out);
		return from_ssl(-ENOMEM, "TLS", note);
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	return 0;
}

int tls_new(struct tls **ret, const struct tls_options *opt, struct err_note *note)
{
	SCOPED(scope_tls) struct tls *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	ERR_clear_error();
	t->context = SSL_CTX_new(TLS_client_method());
	if (!t->context || SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION) != 1)
		return from_ssl(-ENOMEM, "TLS", note);
	SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(t->context, SSL_MODE_RELEASE_BUFFERS);
	TRY(load_files(t, opt, note));
	TRY(make_ssl(t, note));
	TRY(set_host(t, opt->host, note));
	*ret = MOVE(t);
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->context);
	free(t);
}

int tls_feed(struct tls *t, struct bytes in)
{
	return in.len == 0 || BIO_write(t->in, in.data, (int)in.len) == (int)in.len ? 0 : FAIL(-ENOMEM);
}

/* Why the other side is not trusted, if that is it. */
static int from_handshake(struct tls *t, struct err_note *note)
{
	const long verified = SSL_get_verify_result(t->ssl);

	if (verified == X509_V_OK)
		return from_ssl(ERR_MALFORMED, "TLS", note);
	ERR_clear_error();
	return FAIL_SAY(note, ERR_UNTRUSTED, "the certificate of %s is not accepted: %s", t->host,
			X509_verify_cert_error_string(verified));
}

static int from_read(struct tls *t, int r, struct err_note *note)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return 0;
	case SSL_ERROR_ZERO_RETURN: return TLS_ENDED;
	default: return from_handshake(t, note);
	}
}

int tls_read(struct tls *t, struct buf *out, size_t most, struct err_note *note)
{
	enum { RECORD = 16384 };
	int r;

	ERR_clear_error();
	if (!SSL_is_init_finished(t->ssl) && (r = SSL_do_handshake(t->ssl)) != 1)
		return from_read(t, r, note);
	for (size_t done = 0; done < most; done += (size_t)r) {
		uint8_t *to = buf_extend(out, RECORD);
		if (!to)
			return FAIL(-ENOMEM);
		r = SSL_read(t->ssl, to, RECORD);
		out->len -= (size_t)(r > 0 ? RECORD - r : RECORD);
		if (r <= 0)
			return from_read(t, r, note);
	}
	return TLS_MORE;
}

bool tls_is_up(const struct tls *t)
{
	return SSL_is_init_finished(t->ssl);
}

/* A memory BIO takes everything: there is no half write. */
int tls_write(struct tls *t, struct bytes plain, struct err_note *note)
{
	ERR_clear_error();
	if (plain.len > 0 && SSL_write(t->ssl, plain.data, (int)plain.len) <= 0)
		return from_ssl(ERR_MALFORMED, "TLS", note);
	return 0;
}

void tls_bye(struct tls *t)
{
	if (SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
}

void tls_take(struct tls *t, struct buf *out)
{
	const size_t n = BIO_ctrl_pending(t->out);
	uint8_t *to = n > 0 ? buf_extend(out, n) : NULL;

	if (to && BIO_read(t->out, to, (int)n) != (int)n)
		out->failed = true;
}
