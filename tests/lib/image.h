/* SPDX-License-Identifier: Apache-2.0 */
/* Image - what a directory may look like after the power went away.
 *
 * Fed with the calls that were made (tests/lib/disk.h), it keeps of each file what is durable and what was
 * written since its last sync, of each directory the changes since its own last sync, and makes directories
 * that a crash at this moment could leave: durable things are there; of the rest nothing, everything, a
 * prefix in the order of the calls, any subset (of pages, sizes and names), with pages torn between two
 * sectors. Names and content are independent: only syncing a directory makes the names in it durable.
 */
#pragma once

#include "proto/scope.h"
#include "tests/lib/disk.h"

struct image;

struct image *image_new(void);             /* of an empty directory */
struct image *image_load(const char *dir); /* of what is there: all of it durable */
void image_free(struct image *im);

/* Take note of a call. `lost`: it is a sync that the disk never did. */
void image_feed(struct image *im, const struct disk_event *e, bool lost);

/* A number for what image_make() would make with this seed: equal numbers, equal directories. */
uint64_t image_hash(struct image *im, uint64_t seed);
/* Make it as `dir`, which must not be there. */
void image_make(struct image *im, uint64_t seed, const char *dir);

DEFINE_SCOPED(image, image_free)
