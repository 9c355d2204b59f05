/* SPDX-License-Identifier: Apache-2.0 */
/* Env check - is the file of an environment whole? LMDB trusts what it reads: a flipped bit in a page's head
 * would end the process, one in a root or a key would hide records. So what is to be trusted is looked at
 * before it is opened, with plain reads, which report a bad sector instead of ending the process.
 *
 * Threads: any, while nobody writes to the environment.
 */
#pragma once

#include "proto/err.h"

/* The two meta pages only: cheap, part of env_open(). An absent or empty file is fine. ERR_CORRUPT,
 * ERR_VERSION, -errno. */
MUST_CHECK int env_check_metas(const char *dir);

/* Each page that is in use is in use once and holds what it should, keys are in order, the counts are right;
 * and with ENV_CHECK_VALUES every value agrees with its checksum, which reads the whole file, where
 * ENV_CHECK_KEYS passes over large values; ENV_CHECK_PAGES reads it, too, but leaves the checksums to whoever
 * looks at every value anyway. An absent or empty file is fine. ERR_CORRUPT, ERR_VERSION, -errno;
 * the note says which file and what to do. */
enum env_check_depth { ENV_CHECK_KEYS, ENV_CHECK_PAGES, ENV_CHECK_VALUES };
MUST_CHECK int env_check(const char *dir, enum env_check_depth depth, struct err_note *note);
