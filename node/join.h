/* SPDX-License-Identifier: Apache-2.0 */
/* Join - `holond join TOKEN --dir DIR`: how this machine becomes the node that a token invites.
 *
 *     keys made in DIR --> connected to the inviting node, whose key the token pins --> asked every two
 *     seconds, until an admin there decided --> bundle and cursor key checked against token and keys --> DIR
 *
 * The bundle is written last: a directory with one is a node's, one without goes on where it was when the
 * same is called again. No secret leaves the machine; the token's secret is not kept.
 */
#pragma once

/* argv[0] is "join". The process's exit code. */
int join_main(int argc, char *argv[]);
