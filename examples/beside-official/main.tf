terraform {
  required_providers {
    # Both call themselves chainguard, so one of them needs another name here. The official one keeps it, for all that
    # is already written with it.
    chainguard = {
      source  = "chainguard-dev/chainguard"
      version = "~> 0.1"
    }
    invites = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

# Nothing to set in either: both sign in with the token of `chainctl auth login`, or with TF_CHAINGUARD_IDENTITY and
# TF_CHAINGUARD_IDENTITY_TOKEN.
provider "chainguard" {}

provider "invites" {}

variable "organization_id" {
  description = "UIDP of the organization."
  type        = string
}

resource "chainguard_group" "team" {
  name        = "data-team"
  description = "Those who look after the data."
  parent_id   = var.organization_id
}

# The group is new, so its UIDP is known after apply only. That is fine.
resource "chainguard_invite_code" "lead" {
  provider = invites

  group      = chainguard_group.team.id
  role       = "owner"
  email      = "lin@acme.example"
  single_use = true
}

output "lead_invite_code" {
  value     = chainguard_invite_code.lead.code
  sensitive = true
}
