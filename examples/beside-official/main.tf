terraform {
  required_providers {
    # Both providers are called chainguard, so one of them needs another local name. The official one keeps it, for the
    # configuration that already uses it.
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

# Neither needs settings: both sign in with the token of `chainctl auth login`, or with TF_CHAINGUARD_IDENTITY and
# TF_CHAINGUARD_IDENTITY_TOKEN.
provider "chainguard" {}

provider "invites" {}

variable "organization_id" {
  description = "UIDP of the organization."
  type        = string
}

resource "chainguard_group" "team" {
  name        = "data-team"
  description = "Maintainers of the data platform."
  parent_id   = var.organization_id
}

# The UIDP of a new group is not known until apply, which is supported.
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
