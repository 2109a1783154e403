terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

variable "incident" {
  description = "Change it to create a new code at once, for example after a leak."
  type        = string
  default     = "none"
}

# A code that is always valid: for 30 days, and replaced by the first apply in the last 10 of them.
resource "chainguard_invite_code" "machines" {
  group        = "acme.example/platform"
  role         = "registry.pull"
  ttl          = "30d"
  renew_before = "10d"

  rotation_triggers = {
    incident = var.incident
  }

  lifecycle {
    # The new code is created before the old one is revoked.
    create_before_destroy = true
  }
}

# Stands for what must be rolled out with each new code, such as an image that contains it.
resource "terraform_data" "rollout" {
  input = chainguard_invite_code.machines.expires_at

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [chainguard_invite_code.machines]
  }
}

output "code" {
  value     = chainguard_invite_code.machines.code
  sensitive = true
}

output "expires_at" {
  value = chainguard_invite_code.machines.expires_at
}
