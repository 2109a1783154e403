terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

variable "managed" {
  description = "UIDPs of the invites that Terraform manages, in all configurations."
  type        = set(string)
  default     = []
}

data "chainguard_invite_codes" "all" {
  group     = "acme.example"
  recursive = true
}

output "not_managed" {
  description = "Valid invites that are not among the managed ones."
  value = [
    for invite in data.chainguard_invite_codes.all.invite_codes : {
      id      = invite.id
      email   = invite.email
      role    = invite.role_name
      created = invite.created_at
    }
    if !contains(var.managed, invite.id)
  ]
}
