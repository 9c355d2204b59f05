needs a node

Whoever asks in the name of a person has to show that person's key and credential.

  $ holon person invite kim --org acme --dir kim --role operator > /dev/null
  > holon person invite alex --org acme --dir alex > /dev/null
  $ holon twin create acme/press7 --kind component --person kim > /dev/null
  > HOLON_PERSON=kim holon twin get acme/press7 | head -n 1
  acme/press7<*>
  $ holon status --person nobody
  2> holon: <*>nobody/person.key<*>
  [1]
  $ cp kim/credential alex/credential
  > holon status --person alex
  2> holon: the key is not that of kim at acme, whose credential it is
  [1]
  $ head -c 20 kim/credential > alex/credential
  > holon status --person alex
  2> holon: the person's credential cannot be read: message is malformed
  [1]

A person of another organisation is none of the node's.

  $ holon org init bolt --dir bolt --passphrase-file passphrase > /dev/null
  > holon person invite eve --org bolt --dir eve > /dev/null
  > holon status --person eve
  2> holon: eve is a person of bolt, and n1 a node of acme
  [1]

What a person does is in the audit under the person's name.

  $ cat > policy <<END
  > policy acme
  > END
  > holon policy publish policy --org acme --person kim
  policy published as epoch 1
  $ holon audit list --kind policy | grep 'policy publish'
  <*> policy publish by="acme/kim": epoch 1 is in force

A person who was revoked is refused once the node knows it.

  $ holon person revoke kim --org acme --reason left > /dev/null
  > holon org show --dir acme --bundle acme.bundle > /dev/null
  > holon org trust acme.bundle --fingerprint "$(holon org show --dir acme --json | sed 's/.*"fingerprint": "\([^"]*\)".*/\1/')" > /dev/null
  > holon status --person kim
  2> holon: credential of kim at acme was revoked
  [1]
  $ until holon audit list --kind admin | grep 'refused person'; do sleep 0.1; done
  <*> refused person <*>: credential of kim at acme was revoked
  $ holon status | head -n 1
  <*>
