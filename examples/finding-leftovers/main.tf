terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

resource "chainguard_invite_code" "person" {
  for_each = toset(["ada@acme.example", "lin@acme.example"])

  group = "acme.example"
  role  = "viewer"
  email = each.key
}

# Read when the resources are up to date, so that those just made are among them.
data "chainguard_invite_codes" "all" {
  group     = "acme.example"
  recursive = true

  depends_on = [chainguard_invite_code.person]
}

output "not_from_here" {
  description = "Live invites that this configuration did not make."
  value = [
    for invite in data.chainguard_invite_codes.all.invite_codes : {
      id      = invite.id
      email   = invite.email
      role    = invite.role_name
      created = invite.created_at
    }
    if !contains([for mine in chainguard_invite_code.person : mine.id], invite.id)
  ]
}
