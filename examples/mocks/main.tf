terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

data "chainguard_group" "team" {
  name = "acme.example/platform"
}

data "chainguard_role" "viewer" {
  name  = "viewer"
  group = data.chainguard_group.team.id
}

resource "chainguard_invite_code" "kim" {
  group      = data.chainguard_group.team.id
  role       = data.chainguard_role.viewer.id
  email      = "kim@acme.example"
  single_use = true
}

output "code" {
  value     = chainguard_invite_code.kim.code
  sensitive = true
}
