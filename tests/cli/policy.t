A policy is checked without a node as far as that is possible.

  $ cat > good <<END
  > policy acme
  >   org bolt = BOLT-0000000-0000000-0000000-0000000
  >   share "power"
  >     to org bolt
  >     twins plant1/**
  >     allow discover
  >     allow read power/*
  >     until 2199-01-01
  > END
  $ holon policy check good --org-name acme
  line 8: warning: the share ends in more than 400 days, consider an earlier 'until'
  the policy is good
  $ holon policy check good --org-name acme --json
  {"good": true, "findings": ["line 8: warning: the share ends in more than 400 days, consider an earlier 'until'"]}
  $ holon policy check good --org-name bolt
  line 1: error: this is the policy of 'acme', the organisation here is 'bolt'
  line 8: warning: the share ends in more than 400 days, consider an earlier 'until'
  [1]
  $ sed s/discover/dance/ good > bad
  $ holon policy check bad --org-name acme
  line 6: error: column 11: 'dance' is not expected here, write discover, summary, read, history, watch or command
  [1]
  $ holon policy check bad --org-name acme --json
  {"good": false, "findings": ["line 6: error: column 11: 'dance' is not expected here, write discover, summary, read, history, watch or command"]}
  [1]
