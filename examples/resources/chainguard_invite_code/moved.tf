# Previously a chainguard_group_invite of the official provider. It keeps its id and its code.
moved {
  from = chainguard_group_invite.kim
  to   = chainguard_invite_code.kim
}

resource "chainguard_invite_code" "kim" {
  group = "acme.example"
  role  = "viewer"
  email = "kim@acme.example"
  ttl   = "5d"
}
