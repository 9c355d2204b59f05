/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>

#include "security/org_hash.h"

enum { N_WORDS = 256, WORD_MAX = 7 };

_Static_assert((WORD_MAX + 1) * WORDS_SHOWN <= WORDS_SIZE, "room for the longest words");

/* Plain things with names that are hard to confuse by ear. The order is part of the format. */
static const char words[N_WORDS][WORD_MAX + 1] = {
	"acorn",   "actor",   "album",  "almond",  "amber",   "anchor",  "angle",   "anvil",   "apple",
	"apron",   "arch",    "arrow",  "atlas",   "attic",   "autumn",  "axle",    "badge",   "bagel",
	"baker",   "bamboo",  "banjo",  "barley",  "barrel",  "basket",  "beacon",  "beaver",  "bell",
	"bench",   "berry",   "bishop", "blanket", "bonnet",  "bottle",  "boulder", "branch",  "bread",
	"bridge",  "broom",   "bucket", "buffalo", "bugle",   "button",  "cabin",   "cactus",  "camel",
	"candle",  "canoe",   "canyon", "carpet",  "carrot",  "castle",  "cedar",   "cello",   "chalk",
	"cherry",  "chimney", "circus", "clover",  "cobweb",  "coffee",  "comet",   "compass", "copper",
	"coral",   "cotton",  "cradle", "crayon",  "cricket", "crystal", "curtain", "cushion", "cymbal",
	"dagger",  "daisy",   "desert", "diamond", "dolphin", "donkey",  "dragon",  "drum",    "eagle",
	"earth",   "easel",   "echo",   "elbow",   "emerald", "engine",  "ermine",  "fabric",  "falcon",
	"feather", "fender",  "fern",   "fiddle",  "finger",  "flame",   "flute",   "forest",  "fossil",
	"fox",     "frost",   "garden", "garlic",  "gazelle", "girder",  "glacier", "glove",   "goblet",
	"gopher",  "granite", "grape",  "guitar",  "hammer",  "hamster", "harp",    "harvest", "hazel",
	"helmet",  "heron",   "hill",   "honey",   "hornet",  "island",  "ivory",   "jacket",  "jaguar",
	"jasmine", "jelly",   "jewel",  "jigsaw",  "jungle",  "kayak",   "kernel",  "kettle",  "kitchen",
	"kitten",  "knight",  "ladder", "lagoon",  "lantern", "lemon",   "leopard", "lily",    "lizard",
	"lobster", "locket",  "magnet", "magpie",  "mango",   "maple",   "marble",  "meadow",  "melon",
	"mercury", "mirror",  "mosaic", "moss",    "muffin",  "mustard", "napkin",  "nectar",  "needle",
	"nickel",  "nugget",  "nutmeg", "oasis",   "ocean",   "olive",   "onion",   "opera",   "orange",
	"orchard", "otter",   "oven",   "owl",     "oxygen",  "oyster",  "paddle",  "palace",  "panda",
	"paper",   "parsley", "peanut", "pebble",  "pelican", "pencil",  "pepper",  "piano",   "pigeon",
	"pillow",  "pirate",  "planet", "plum",    "podium",  "pollen",  "pony",    "poppy",   "potato",
	"pretzel", "prism",   "pulley", "pulpit",  "pumpkin", "puzzle",  "pyramid", "quarry",  "quill",
	"rabbit",  "raccoon", "radio",  "raisin",  "raven",   "ribbon",  "river",   "robin",   "rooster",
	"saffron", "sailor",  "salmon", "sandal",  "sapling", "satchel", "scarf",   "scooter", "shadow",
	"shovel",  "silver",  "spider", "spinach", "squash",  "stable",  "statue",  "sugar",   "summit",
	"sunset",  "teapot",  "temple", "thistle", "thunder", "ticket",  "tiger",   "timber",  "tomato",
	"tonic",   "trumpet", "tulip",  "tunnel",  "turtle",  "velvet",  "violin",  "walnut",  "whisker",
	"wicker",  "window",  "yogurt", "zebra",
};

static void hash_both(const struct org_hash *first, const struct org_hash *second, uint8_t ret[32])
{
	static const char domain[] = "holon/words/v1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain);
	crypto_generichash_update(&state, first->b, sizeof first->b);
	crypto_generichash_update(&state, second->b, sizeof second->b);
	crypto_generichash_final(&state, ret, 32);
}

void org_words(const struct org *mine, const struct org *theirs, char ret[WORDS_SIZE])
{
	struct org_hash a, b;
	uint8_t pick[32];

	org_hash(mine->manifest.org, &mine->manifest.root, &a);
	org_hash(theirs->manifest.org, &theirs->manifest.root, &b);
	if (memcmp(a.b, b.b, sizeof a.b) < 0) /* sorted, so that both sides read the same */
		hash_both(&a, &b, pick);
	else
		hash_both(&b, &a, pick);
	words_spell(pick, ret);
}

void words_spell(const uint8_t pick[WORDS_SHOWN], char ret[WORDS_SIZE])
{
	size_t used = 0;

	for (int i = 0; i < WORDS_SHOWN; i++)
		used += (size_t)snprintf(ret + used, WORDS_SIZE - used, "%s%s", i > 0 ? " " : "",
					 words[pick[i]]);
}
