terraform {
  required_version = ">= 1.11"

  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "generation" {
  description = "Raise it to hand over a new code."
  type        = number
  default     = 1
}

# Created in every plan and every apply, and stored in neither state nor plan files.
ephemeral "chainguard_invite_code" "runner" {
  group      = "acme.example/platform"
  role       = "registry.pull"
  ttl        = "1d"
  single_use = true

  # The code of a plan is not used, so it is deleted when the plan ends. That of an apply is for the runner.
  revoke_on_close = !terraform.applying
}

resource "aws_secretsmanager_secret" "runner" {
  name = "ci/chainguard-invite-code"
}

# A write-only argument is not stored. It is written when its version changes.
resource "aws_secretsmanager_secret_version" "runner" {
  secret_id                = aws_secretsmanager_secret.runner.id
  secret_string_wo         = ephemeral.chainguard_invite_code.runner.code
  secret_string_wo_version = var.generation
}
