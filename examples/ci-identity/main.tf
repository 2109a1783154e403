terraform {
  required_providers {
    # The official provider manages identities and roles.
    chainguard = {
      source  = "chainguard-dev/chainguard"
      version = "~> 0.1"
    }
  }
}

variable "organization_id" {
  description = "UIDP of the organization."
  type        = string
}

variable "repository" {
  description = "GitHub repository whose workflows may assume the identity, such as acme/infra."
  type        = string
  default     = "acme/infra"
}

# What the provider needs to manage invite codes, and nothing else.
resource "chainguard_role" "inviter" {
  parent_id   = var.organization_id
  name        = "inviter"
  description = "Manages invite codes."
  capabilities = [
    "group_invites.create",
    "group_invites.delete",
    "group_invites.list",
    "groups.list",
    "role_bindings.create",
    "roles.list",
  ]
}

# Workflows that run on the main branch of the repository may assume it.
resource "chainguard_identity" "ci" {
  parent_id   = var.organization_id
  name        = "invites-ci"
  description = "Manages invite codes from GitHub Actions."

  claim_match {
    issuer  = "https://token.actions.githubusercontent.com"
    subject = "repo:${var.repository}:ref:refs/heads/main"
  }
}

resource "chainguard_rolebinding" "ci" {
  identity = chainguard_identity.ci.id
  group    = var.organization_id
  role     = chainguard_role.inviter.id
}

output "identity" {
  description = "What to set as the provider's identity, or as CHAINGUARD_IDENTITY in the job."
  value       = chainguard_identity.ci.id
}
