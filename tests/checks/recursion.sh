#!/bin/sh
# No message of the wire contains itself, not through others either: protobuf-c unpacks by recursion, and ten thousand
# levels of nesting overflow its stack (DESIGN 5).
. "$(dirname "$0")/lib.sh"

# Messages that only contain what is taken away already are taken away; what stays goes round in a circle.
sed 's|//.*||' proto/holon.proto proto/sparkplug.proto | awk '
	{ gsub(/[{};=]/, " & ") }
	{ for (i = 1; i <= NF; i++) word[++n] = $i }
	END {
		for (i = 1; i <= n; i++)
			if (word[i] == "message") { name[++m] = word[i + 1]; is[word[i + 1]] = 1 }
		for (i = 1; i <= n; i++) {
			if (word[i] == "message") { at = word[++i]; continue }
			if (at != "" && word[i] in is) has[at, word[i]] = 1
		}
		do {
			changed = 0
			for (i = 1; i <= m; i++) {
				if (!(name[i] in is)) continue
				inside = 0
				for (j = 1; j <= m; j++) if (name[j] in is && (name[i], name[j]) in has) inside = 1
				if (!inside) { delete is[name[i]]; changed = 1 }
			}
		} while (changed)
		if (m < 10) print "proto/holon.proto was not understood: " m " messages"
		for (i = 1; i <= m; i++) if (name[i] in is) print name[i]
	}' | none 'messages that contain themselves, and those that they are in'
