terraform {
  required_providers {
    chainguard = {
      source = "chainguard-invites/chainguard"
    }
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "generation" {
  description = "Raise it to hand over a new code."
  type        = number
  default     = 1
}

# The code is in the state. A short ttl and a single use soon make it worthless there, and once it is used or over it is
# not minted again before `generation` asks for it.
resource "chainguard_invite_code" "runner" {
  group      = "acme.example/platform"
  role       = "registry.pull"
  ttl        = "1d"
  single_use = true
  recreate   = "never"

  rotation_triggers = {
    generation = var.generation
  }
}

resource "aws_secretsmanager_secret" "runner" {
  name = "ci/chainguard-invite-code"
}

resource "aws_secretsmanager_secret_version" "runner" {
  secret_id     = aws_secretsmanager_secret.runner.id
  secret_string = chainguard_invite_code.runner.code
}
